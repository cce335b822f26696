import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Finding, failed, ok, warning } from '@sluice/core';
import { type TcpOutcome, tryTcp } from './tcp-line.js';

/** Ports that a BigBlueButton may listen on beside the one of `bbb.url`. */
export interface OtherPorts {
  /** Of HTTP, which leads on to HTTPS. */
  readonly redirect: number;
  /** What only old servers have. */
  readonly legacy: readonly number[];
}

export const USUAL_PORTS: OtherPorts = { redirect: 80, legacy: [7443, 1935] };

/** The addresses of a name, and what is to be said of them. */
export async function nameFindings(host: string): Promise<{ addresses: readonly string[]; findings: Finding[] }> {
  const check = `name ${host}`;
  if (isIP(host) !== 0) {
    return { addresses: [host], findings: [ok(check, 'an address, no name')] };
  }
  try {
    const found = await lookup(host, { all: true });
    const addresses = [...new Set(found.map(({ address }) => address))];
    return { addresses, findings: [ok(check, `leads to ${addresses.join(', ')}`)] };
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const advice = 'Is it written rightly in bbb.url, and may this machine ask its DNS server (udp and tcp 53)?';
    return { addresses: [], findings: [failed(check, `is not found (${code})`, advice)] };
  }
}

/** Whether the ports of BBB can be reached: that of its API, the one that leads there, and those of old servers. */
export async function portFindings(
  host: string,
  apiPort: number,
  { redirect, legacy }: OtherPorts,
  timeoutMs: number,
): Promise<Finding[]> {
  const ports = [...new Set([apiPort, redirect, ...legacy])];
  const outcomes = await Promise.all(ports.map((port) => tryTcp({ host, port }, timeoutMs)));
  return outcomes.map((outcome, at) => {
    const port = ports[at] ?? 0;
    const check = `${host}, tcp ${port}`;
    if (outcome.kind === 'connected') return ok(check, `takes connections (${outcome.ms} ms)`);
    const found = faultOf(outcome);
    if (port === apiPort) return failed(check, found, `Let tcp ${port} out here, and in there.`);
    if (port === redirect) {
      return warning(check, found, 'Links that begin with http:// lead nowhere. All is well with https:// ones.');
    }
    return warning(check, found, 'Of use to BigBlueButton 2.2 only: later ones need tcp 443 and nothing else.');
  });
}

function faultOf(outcome: Exclude<TcpOutcome, { kind: 'connected' }>): string {
  if (outcome.kind === 'refused') return 'refused: nobody listens there, or a firewall refuses it';
  if (outcome.kind === 'silent') return 'no answer: a firewall drops it on the way';
  return outcome.detail;
}
