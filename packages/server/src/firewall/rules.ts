import { isIPv4 } from 'node:net';
import { type Config, environmentName, isLoopback, parseIceUrl, parseNetwork } from '@sluice/core';
import { type Door, doorsOf, isOnAllAddresses, isOnLoopback } from '../network/doors.js';

export type Family = 'ipv4' | 'ipv6';

/** Lets something in. */
export interface Rule {
  readonly protocol: 'tcp' | 'udp';
  /** One, or from one to another: `49152-65535`. */
  readonly ports: string;
  /** One address family; undefined for both. */
  readonly family: Family | undefined;
  /** An address or CIDR block, of that family. */
  readonly from: string | undefined;
  /** An address of this machine, of that family. */
  readonly to: string | undefined;
  /** Printable, without quotes. */
  readonly comment: string;
}

/** What a firewall lets in, in words that each format says in its own way. */
export interface Ruleset {
  readonly rules: readonly Rule[];
  /** What the operator should know, a line each. */
  readonly remarks: readonly string[];
}

export interface FirewallOptions {
  readonly config: Config;
  readonly sshPort: number;
  /** Addresses that lead to this machine. */
  readonly addresses: readonly string[];
}

const TURN_RELAYS = '49152-65535';

/** The rules for the ports of a configuration. */
export function firewallRules(options: FirewallOptions): Ruleset {
  const { config, sshPort } = options;
  const rules: Rule[] = [plain('tcp', String(sshPort), 'SSH')];
  const remarks: string[] = [];
  for (const door of doorsOf(config)) {
    if (isOnLoopback(door)) {
      remarks.push(`${door.key} ${door.port} (${door.name}) is left out: it listens on ${door.host} only.`);
    } else if (door.port === 0) {
      remarks.push(
        `${door.key} is left out: it is 0, another port at each start. Set one: ${environmentName(door.key)}`,
      );
    } else {
      rules.push(...rulesOf(door, config));
    }
  }
  remarks.push(...publishersRemarks(config), ...turnRemarks(options));
  return { rules, remarks };
}

function plain(protocol: Rule['protocol'], ports: string, comment: string): Rule {
  return { protocol, ports, family: undefined, from: undefined, to: undefined, comment };
}

function rulesOf(door: Door, config: Config): Rule[] {
  const rule = plain(door.protocol, String(door.port), `Sluice: ${door.name}`);
  const to = isOnAllAddresses(door) || parseNetwork(door.host) === undefined ? undefined : door.host;
  const families: readonly Family[] = to === undefined ? ['ipv4', 'ipv6'] : [familyOf(to)];
  // Whoever the API refuses by address need not reach it at all.
  const networks = door.users === 'operators' ? config.api.allow : [];
  if (networks.length > 0) {
    const fitting = networks.filter((network) => families.includes(familyOf(network)));
    return fitting.map((from) => ({ ...rule, family: familyOf(from), from, to }));
  }
  // `0.0.0.0` takes IPv4 only, `::` both.
  const family = to === undefined ? (isIPv4(door.host) ? 'ipv4' : undefined) : familyOf(to);
  return [{ ...rule, family, to }];
}

const familyOf = (network: string): Family => parseNetwork(network)?.family ?? 'ipv4';

/** Which doors could be opened to fewer: that viewers use none of these, only the operator knows. */
function publishersRemarks({ access, rtmp, rtmps, srt, tls }: Config): string[] {
  const ports = [`tcp ${rtmp.port}`];
  if (tls.certFile !== undefined) ports.push(`tcp ${rtmps.port}`);
  if (srt.enabled) ports.push(`udp ${srt.port}`);
  const from = access.publishAllow.length > 0 ? access.publishAllow.join(', ') : "the publishers' addresses";
  const isForPublishers =
    access.play === 'closed' ? 'Nobody may watch (access.play), so that' : 'Where all watch in browsers,';
  return [`${isForPublishers} only publishers need ${ports.join(', ')} (RTMP, SRT): let in ${from} alone there.`];
}

/** A TURN server is another program, and often on another machine. */
function turnRemarks({ config, addresses }: FirewallOptions): string[] {
  const urls = config.webrtc.iceServers.map(parseIceUrl).filter((url) => url !== undefined);
  const turn = urls.filter(({ scheme }) => scheme !== 'stun');
  if (turn.length === 0) return [];
  const isHere = turn.some(({ host }) => addresses.includes(host) || isLoopback(host));
  const ports = [...new Set(turn.map(({ port }) => port))].join(', ');
  return [
    `The TURN server ${isHere ? 'seems to be on this machine' : 'of webrtc.iceServers, on its machine'}: it needs ${ports}, tcp and udp, and udp ${TURN_RELAYS}.`,
  ];
}
