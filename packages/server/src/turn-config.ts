import { isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { type Config, environmentName, type IceUrl, isLocalAddress, isLoopback, parseIceUrl } from '@sluice/core';
import { doorsOf, isOnLoopback } from './network/doors.js';
import { SPECIAL_RANGES } from './network/special-ranges.js';
import { StartError } from './start-error.js';

/** What is to be known of the machine that Sluice runs on. */
export interface Surroundings {
  /** Addresses that browsers are told. */
  readonly announced: readonly string[];
  /** Addresses of this machine. */
  readonly own: readonly string[];
}

export interface TurnServerConfig {
  /** `turnserver.conf`. */
  readonly text: string;
  /** What is missing or doubtful, each with the way out. */
  readonly notes: readonly string[];
}

/** RFC 8656 §3.2: where relays are, one for each viewer that needs one. */
const RELAY_PORTS = { min: 49_152, max: 65_535 } as const;
const USUAL_PORT = 3478;
const LAST_PRIVILEGED_PORT = 1023;

/**
 * Writes the configuration of a coturn that serves the viewers and publishers of this server, and nobody else.
 *
 * @throws {StartError} where secret or realm are missing
 */
export function turnServerConfig(config: Config, around: Surroundings): TurnServerConfig {
  const { secret, realm } = credentialsOf(config);
  const urls = config.webrtc.iceServers.map(parseIceUrl).filter((url) => url !== undefined);
  const ports = portsOf(urls);
  const { certFile, keyFile } = config.tls;
  const text = [
    [
      '# turnserver.conf for coturn, made by `sluice turn-config`. It holds a secret: chown root:turnserver, chmod 640.',
    ],
    listening(ports),
    certificate(ports, certFile, keyFile),
    behindNat(around),
    [
      '# Who may relay: browsers with credentials that Sluice makes and that end by themselves.',
      'use-auth-secret',
      `static-auth-secret=${secret}`,
      `realm=${realm}`,
      'fingerprint',
      '# A nonce that was overheard is of no use for long.',
      'stale-nonce=600',
    ],
    [
      '# One UDP port for each who needs a relay. The firewall of this machine must let these in.',
      `min-port=${RELAY_PORTS.min}`,
      `max-port=${RELAY_PORTS.max}`,
      '# Media is UDP: a relay that opens TCP connections is a way into your network.',
      'no-tcp-relay',
    ],
    peers(around),
    [
      '# No console, no version for strangers, no answers that are larger than what was asked.',
      'no-cli',
      'no-software-attribute',
      'no-rfc5780',
      'no-stun-backward-compatibility',
    ],
    ['# systemd keeps what is printed: journalctl -u coturn', 'log-file=stdout', 'simple-log'],
  ];
  return {
    text: `${text.map((lines) => lines.join('\n')).join('\n\n')}\n`,
    notes: notesOn(config, urls, ports, around),
  };
}

interface Ports {
  /** Of `listening-port`. */
  readonly plain: number;
  /** Of `tls-listening-port`. */
  readonly tls: number | undefined;
  readonly others: readonly number[];
}

function credentialsOf({ webrtc }: Config): { secret: string; realm: string } {
  const { secret, realm } = webrtc.turn;
  const missing: string[] = [];
  if (secret === undefined) missing.push(`${setting('webrtc.turn.secret')} (openssl rand -hex 32 makes one)`);
  if (realm === undefined) missing.push(`${setting('webrtc.turn.realm')} (the domain of the TURN server)`);
  if (secret === undefined || realm === undefined) {
    throw new StartError(`a TURN server needs what is not set: ${missing.join(' and ')}`);
  }
  for (const [key, value] of Object.entries({ 'webrtc.turn.secret': secret, 'webrtc.turn.realm': realm })) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin another option.
    if (/[\u0000-\u001f\u007f]|^\s|\s$/.test(value)) {
      throw new StartError(`${key} can't be written to turnserver.conf: it has a line break, or a space at an end`);
    }
  }
  return { secret, realm };
}

const setting = (key: string): string => `${key} (${environmentName(key)})`;

/** coturn tells TLS from plain STUN on each port, so that one of TLS serves both. */
function portsOf(urls: readonly IceUrl[]): Ports {
  const turn = urls.filter(({ scheme }) => scheme !== 'stun');
  const hosts = new Set(turn.map(({ host }) => host));
  const own = urls.filter(({ scheme, host }) => scheme !== 'stun' || hosts.has(host));
  const secure = [...new Set(own.filter(({ scheme }) => scheme === 'turns').map(({ port }) => port))];
  const open = [...new Set(own.filter(({ scheme }) => scheme !== 'turns').map(({ port }) => port))];
  const tls = secure[0];
  const left = open.filter((port) => !secure.includes(port));
  const plain = left.includes(USUAL_PORT) ? USUAL_PORT : (left[0] ?? USUAL_PORT);
  return { plain, tls, others: [...secure.slice(1), ...left.filter((port) => port !== plain)] };
}

function listening({ plain, tls, others }: Ports): string[] {
  const lines = ['# Ports, as in webrtc.iceServers, UDP and TCP.', `listening-port=${plain}`];
  if (tls !== undefined) lines.push(`tls-listening-port=${tls}`);
  if (others.length > 0) {
    lines.push('# More ports, IPv4. alt-listening-port would open them only on machines with two addresses.');
    for (const port of others) lines.push(`aux-server=0.0.0.0:${port}`);
  }
  if ([plain, tls ?? plain, ...others].some((port) => port <= LAST_PRIVILEGED_PORT)) {
    lines.push(
      '# Ports below 1024 need a right that the service has not got: systemctl edit coturn, and there',
      '#   [Service]',
      '#   AmbientCapabilities=CAP_NET_BIND_SERVICE',
    );
  }
  return lines;
}

function certificate({ tls }: Ports, certFile: string | undefined, keyFile: string | undefined): string[] {
  if (tls === undefined || certFile === undefined || keyFile === undefined) {
    return ['# No TLS: it needs a certificate, and a turns: URL in webrtc.iceServers.', 'no-tls', 'no-dtls'];
  }
  return [
    '# TLS, which looks like any web site to a firewall. The user turnserver must be able to read both files.',
    `cert=${resolve(certFile)}`,
    `pkey=${resolve(keyFile)}`,
    '# Every browser with WebRTC speaks TLS 1.2 or later, and none speaks TURN over DTLS.',
    'no-tlsv1',
    'no-tlsv1_1',
    'no-dtls',
  ];
}

/** The public address and the one that it leads to; undefined where this machine is not behind NAT. */
function natOf({ announced, own }: Surroundings): { readonly outside: string; readonly inside: string } | undefined {
  const outside = announced.find((address) => isIPv4(address) && !own.includes(address) && !isLocalAddress(address));
  const inside = own.find((address) => isIPv4(address) && isLocalAddress(address));
  return outside === undefined || inside === undefined ? undefined : { outside, inside };
}

function behindNat(around: Surroundings): string[] {
  const nat = natOf(around);
  if (nat === undefined) return ['# Behind NAT, coturn must be told: external-ip=PUBLIC/PRIVATE'];
  return [
    '# This machine is behind NAT (webrtc.announce). Where coturn runs on another one, put the addresses of that here.',
    `external-ip=${nat.outside}/${nat.inside}`,
  ];
}

/** Without these, whoever has a credential could send to what is behind the firewall. */
function peers({ announced }: Surroundings): string[] {
  const allowed = announced.filter((address) => !isLoopback(address));
  return [
    '# Where it relays to: not into private networks, but for the addresses of Sluice itself.',
    'no-multicast-peers',
    ...SPECIAL_RANGES.map(({ first, last }) => `denied-peer-ip=${first}-${last}`),
    ...allowed.map((address) => `allowed-peer-ip=${address}`),
    '# Stricter, where nothing but Sluice uses this TURN server:',
    '#denied-peer-ip=0.0.0.0-255.255.255.255',
    '#denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ];
}

function notesOn(config: Config, urls: readonly IceUrl[], ports: Ports, { announced }: Surroundings): string[] {
  const notes: string[] = [];
  const key = 'webrtc.iceServers';
  const { realm = 'turn.example.org' } = config.webrtc.turn;
  if (!urls.some(({ scheme }) => scheme !== 'stun')) {
    notes.push(
      `${key} names no TURN server, so that browsers are not told of this one: ${environmentName(key)}=turn:${realm}:3478?transport=udp,turn:${realm}:3478?transport=tcp`,
    );
  } else if (ports.tls === undefined) {
    notes.push(`${key} has no turns: URL; turns:${realm}:443?transport=tcp is what strict firewalls let through`);
  } else if (config.tls.certFile === undefined) {
    notes.push(
      `${key} has a turns: URL, and there is no certificate for it: set ${setting('tls.certFile')} and ${setting('tls.keyFile')}, or put cert= and pkey= there instead of no-tls`,
    );
  }
  for (const port of [ports.plain, ...(ports.tls === undefined ? [] : [ports.tls]), ...ports.others]) {
    const door = doorsOf(config).find((candidate) => candidate.port === port && !isOnLoopback(candidate));
    if (door === undefined) continue;
    notes.push(
      `port ${port} is ${door.key} of Sluice, too: coturn can have it on another machine only, or change one of them`,
    );
  }
  if (!announced.some((address) => !isLoopback(address))) {
    notes.push(
      `this machine has no address but loopback, so that the TURN server is told of none to relay to: set ${setting('webrtc.announce')}`,
    );
  }
  return notes;
}
