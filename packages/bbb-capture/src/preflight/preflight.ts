import { type Finding, failed, messageOf, warning } from '@sluice/core';
import { apiBase } from '../api/call.js';
import type { ChecksumAlgorithm } from '../api/checksum.js';
import { signedFindings, versionFindings } from './api.js';
import { certificateFindings } from './certificate.js';
import { addressFindings } from './each-address.js';
import { stunFindings, turnFindings } from './ice-servers.js';
import { nameFindings, type OtherPorts, portFindings, USUAL_PORTS } from './name-and-ports.js';
import { type PreflightTarget, targetFindings } from './rtmp-target.js';
import { webSocketFindings } from './web-sockets.js';

export interface PreflightOptions {
  /** `bbb.url` */
  readonly url: string;
  readonly secret: (() => Promise<string>) | undefined;
  readonly checksum: ChecksumAlgorithm | 'auto';
  readonly iceServers: readonly string[];
  readonly turnSecret: (() => Promise<string>) | undefined;
  readonly targets: readonly PreflightTarget[];
  /** Addresses under which others reach BigBlueButton. */
  readonly external: readonly string[];
  /** What was found of the UDP ports, by who could try them from both sides. */
  readonly udp?: readonly Finding[];
  /** Now, milliseconds since 1970. */
  readonly now: number;
  readonly ports?: OtherPorts;
  /** For each connection. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 4000;
/** Of media to and from BigBlueButton. */
export const MEDIA_PORTS = { first: 16_384, last: 32_768 } as const;

/**
 * Tries all that a capture needs of the network: name and ports, TLS, the API without and with a signature, WebSockets,
 * STUN, TURN, UDP, each address, and where it is published to. Changes nothing, joins nothing.
 *
 * @throws {BbbError} `bad-answer` where the URL can't be one of an API
 */
export async function preflight(options: PreflightOptions): Promise<Finding[]> {
  const { timeoutMs = TIMEOUT_MS, iceServers, turnSecret, now, external, targets, udp = [undecided()] } = options;
  const url = new URL(apiBase(options.url));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isSecure = url.protocol === 'https:';
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  const api = { ...options, url: url.href, timeoutMs };
  const ice = { urls: iceServers, turnSecret, now, timeoutMs };

  const { addresses, findings } = await nameFindings(host);
  const isFound = addresses.length > 0;
  if (isFound) {
    findings.push(...(await checked('ports', () => portFindings(host, port, options.ports ?? USUAL_PORTS, timeoutMs))));
    findings.push(
      ...(isSecure
        ? await checked('TLS', () => certificateFindings({ host, port }, now, timeoutMs))
        : [
            warning('TLS', 'bbb.url has none: signed requests and links can be read on the way', 'Set https:// there.'),
          ]),
    );
    const { version, findings: unsigned } = await versionFindings(api);
    findings.push(...unsigned);
    // Where no API answers, a signed call would say the same again.
    if (version !== undefined) findings.push(...(await checked('API, signed', () => signedFindings(api))));
    findings.push(...(await checked('WebSockets', () => webSocketFindings(url.origin, version?.server, timeoutMs))));
  }
  findings.push(
    ...(await checked('STUN', () => stunFindings(ice))),
    ...(await checked('TURN', () => turnFindings(ice))),
    ...udp,
  );
  if (isFound) {
    const places = { url: url.href, addresses, external, timeoutMs };
    findings.push(...(await checked('addresses', () => addressFindings(places))));
  }
  findings.push(...(await checked('target', () => targetFindings(targets, timeoutMs))));
  return findings;
}

/** A UDP port that is silent may be open or closed. */
function undecided(): Finding {
  const { first, last } = MEDIA_PORTS;
  const advice =
    'While BigBlueButton is stopped, run `sluice bbb check --udp-listen` there, and `sluice bbb check --udp-send HOST` here.';
  return warning(`media, udp ${first} to ${last}`, 'not tried: a port that is silent may be open or closed', advice);
}

/** A check that can't be made is a finding, too, and keeps no other from being made. */
async function checked(check: string, make: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await make();
  } catch (error) {
    return [failed(check, `could not be checked: ${messageOf(error)}`, 'Please report this: it is a fault of Sluice.')];
  }
}
