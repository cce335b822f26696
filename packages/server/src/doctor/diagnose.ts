import { type Config, type Finding, failed, isLocalAddress, messageOf } from '@sluice/core';
import { doorsOf } from '../network/doors.js';
import { ownAddresses } from '../network/own-addresses.js';
import { announcedAddresses } from '../webrtc-door.js';
import { type AddressFacts, addressFindings, askStunServers, stunFindings } from './addresses.js';
import { certificateFindings } from './certificate.js';
import { dataDirectoryFindings } from './data-directory.js';
import { ffmpegFindings } from './ffmpeg.js';
import { bufferFindings, clockFindings, openFilesFindings, readSystemFile } from './machine.js';
import { objectStoreFindings } from './object-store.js';
import { portFindings, tryPorts } from './ports.js';
import { turnFindings } from './turn.js';
import { hairpinFindings, loopbackFindings } from './udp.js';

export interface DiagnoseOptions {
  readonly config: Config;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Now. */
  readonly wallClock: () => Date;
  /** Whether a process is the server that asks: its ports are as they should be. */
  readonly isSelf?: (pid: number) => boolean;
}

/** Makes all checks of this machine. Changes nothing; what it opens, it closes, and what it puts into a bucket, it deletes. */
export async function diagnose(options: DiagnoseOptions): Promise<Finding[]> {
  const { config, environment, wallClock, isSelf } = options;
  const { webrtc } = config;
  const states = await tryPorts(doorsOf(config), isSelf);
  const running = states.find(({ state }) => state === 'sluice')?.owner?.pid;
  const findings: Finding[] = [...portFindings(states)];
  findings.push(...(await checked('datagrams in this machine', () => loopbackFindings(states))));

  if (webrtc.enabled) {
    const stunUrls = [...(webrtc.stunServer === undefined ? [] : [webrtc.stunServer]), ...webrtc.iceServers];
    const stun = await askStunServers(stunUrls);
    const facts: AddressFacts = {
      announced: announcedAddresses(webrtc),
      isConfigured: webrtc.announce.length > 0,
      own: ownAddresses(),
      seen: [...new Set(stun.flatMap(({ seen }) => seen ?? []))],
    };
    findings.push(...addressFindings(facts), ...stunFindings(stun, facts));
    const outside = [...new Set([...facts.announced, ...facts.seen])].filter(
      (address) => !isLocalAddress(address) && !facts.own.includes(address),
    );
    findings.push(...(await checked('from this machine to itself', () => hairpinFindings(outside, states))));
    const now = wallClock().getTime();
    findings.push(...(await checked('TURN', () => turnFindings(config, facts.announced, now))));
  }

  // Node.js does without where there is none, too.
  const authorities = readSystemFile(environment.NODE_EXTRA_CA_CERTS ?? '');
  findings.push(
    ...(await checked('TLS certificate', () => certificateFindings(config, wallClock(), authorities))),
    ...(await checked('ffmpeg', () => ffmpegFindings(environment))),
    ...(await checked('data directory', () => dataDirectoryFindings(config))),
    ...(await checked('object store', () => objectStoreFindings(config))),
    ...bufferFindings(readSystemFile),
    ...openFilesFindings(config, readSystemFile, running),
    ...clockFindings(wallClock(), readSystemFile),
  );
  return findings;
}

/** A check that can't be made is a finding, too, and keeps no other from being made. */
async function checked(check: string, make: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await make();
  } catch (error) {
    return [
      failed(check, `could not be checked: ${messageOf(error)}`, 'Please report this: it is a fault of the doctor.'),
    ];
  }
}
