import { isIP } from 'node:net';
import { MEDIA_PORTS, type PreflightTarget, preflight, readSecretFile } from '@sluice/bbb-capture';
import { type Config, environmentName, isWell, jsonReport, resolveConfig, textReport } from '@sluice/core';
import { readConfigFile } from '../../config-file.js';
import { probe } from '../../doctor/probe.js';
import type { Door } from '../../network/doors.js';
import { StartError } from '../../start-error.js';
import { echoProbes } from '../echo-probes.js';
import { parsePort } from '../port-option.js';

/** Both ends of the range, the middle, and one that BigBlueButton's own guide tries. */
const SAMPLE = [MEDIA_PORTS.first, 17_000, 24_576, MEDIA_PORTS.last];
const LISTEN_THERE = 'while BigBlueButton is stopped, run `sluice bbb check --udp-listen` there, with the same ports';

export interface BbbCheckOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly externalIp?: readonly string[];
  readonly udpListen?: boolean;
  readonly udpSend?: string;
  readonly udpPort?: readonly string[];
  readonly for?: string;
}

/**
 * `sluice bbb check`: says what is in the way between this machine, BigBlueButton and where meetings are published to.
 * The process ends with 1 where something has failed.
 *
 * @throws {StartError} where there is nothing to check, or an option can't be used
 */
export async function bbbCheck(options: BbbCheckOptions): Promise<void> {
  const doors = doorsOf(options);
  if (options.udpListen === true) {
    await echoProbes(doors, options);
    return;
  }
  const external = options.externalIp ?? [];
  for (const address of external) {
    if (isIP(address) === 0) throw new StartError(`--external-ip ${address} is no address; write 203.0.113.1`);
  }
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const { url, secretFile, turnSecretFile, checksum, iceServers } = config.bbb;
  if (url === undefined) {
    const name = `bbb.url (${environmentName('bbb.url')})`;
    throw new StartError(`${name} is not set; as in https://bbb.example.org/bigbluebutton/api`);
  }
  const words = { option: '--udp-send', listenThere: LISTEN_THERE };
  const findings = await preflight({
    url,
    secret: secretFile === undefined ? undefined : () => readSecretFile(secretFile),
    checksum,
    iceServers,
    turnSecret: turnSecretFile === undefined ? undefined : () => readSecretFile(turnSecretFile),
    targets: targetsOf(config),
    external,
    ...(options.udpSend === undefined ? {} : { udp: await probe(options.udpSend, doors, words) }),
    now: Date.now(),
  });
  process.stdout.write(options.json === true ? jsonReport(findings) : textReport(findings));
  process.exitCode = isWell(findings) ? 0 : 1;
}

function doorsOf({ udpPort, udpListen, udpSend, for: duration }: BbbCheckOptions): Door[] {
  if (udpPort !== undefined && udpListen !== true && udpSend === undefined) {
    throw new StartError('--udp-port goes with --udp-listen or --udp-send');
  }
  if (duration !== undefined && udpListen !== true) throw new StartError('--for goes with --udp-listen');
  const ports = udpPort?.map((text) => parsePort('--udp-port', text)) ?? SAMPLE;
  const door = { name: 'media', key: '--udp-port', protocol: 'udp', host: '::', users: 'both' } as const;
  return ports.map((port) => ({ ...door, port }));
}

/** This server's own RTMP, and what `bbb.targets` names. */
function targetsOf({ bbb, rtmp }: Config): PreflightTarget[] {
  const own = rtmp.port === 0 ? [] : [{ origin: `rtmp://127.0.0.1:${rtmp.port}`, isOwn: true }];
  return [...own, ...bbb.targets.map((origin) => ({ origin, isOwn: false }))];
}
