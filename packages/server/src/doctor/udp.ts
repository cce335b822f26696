import { isIPv6 } from 'node:net';
import { type Finding, failed, ok, warning } from '@sluice/core';
import { type Door, isOnAllAddresses } from '../network/doors.js';
import { arrivesAt, srtAnswers } from './datagram.js';
import type { PortState } from './ports.js';

const LOOPBACK_TIMEOUT_MS = 1000;
const HAIRPIN_TIMEOUT_MS = 1500;

/** Whether datagrams reach the UDP ports from this machine itself: a firewall on it may be in the way. */
export async function loopbackFindings(states: readonly PortState[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const state of states) {
    const { door } = state;
    if (door.protocol !== 'udp') continue;
    const check = `datagrams to ${door.name}, udp ${door.port}, in this machine`;
    const came = await reaches(isOnAllAddresses(door) ? '127.0.0.1' : door.host, state, LOOPBACK_TIMEOUT_MS);
    if (came === 'unknown') continue;
    findings.push(
      came
        ? ok(check, 'arrive')
        : failed(check, 'do not arrive', 'A firewall on this machine drops them: `sluice firewall` prints rules.'),
    );
  }
  return findings;
}

/**
 * Whether a public address leads back to this machine from inside, as through a router that it forwards ports on.
 *
 * @param addresses under which others reach this machine, and which are none of its own
 */
export async function hairpinFindings(addresses: readonly string[], states: readonly PortState[]): Promise<Finding[]> {
  const usable = states.filter(
    ({ door, state }) => door.protocol === 'udp' && door.port !== 0 && isTryable(state, door),
  );
  const [state] = usable;
  if (state === undefined) return [];
  return Promise.all(
    addresses
      .filter((address) => !isIPv6(address) || state.door.host === '::')
      .map((address) => hairpin(address, state)),
  );
}

async function hairpin(address: string, state: PortState): Promise<Finding> {
  const { name, port } = state.door;
  const check = `from this machine to ${address}, udp ${port} (${name})`;
  if ((await reaches(address, state, HAIRPIN_TIMEOUT_MS)) === true) return ok(check, 'arrives');
  return warning(
    check,
    'does not arrive: the router does not forward the port, or not from inside (hairpin NAT)',
    `Forward udp ${port} to this machine. Whether it comes through from outside: \`sluice doctor --listen\` here, \`sluice doctor --probe ${address}\` there. Without hairpin NAT, viewers in the same network need this machine's own address in webrtc.announce, too.`,
  );
}

/** A running WebRTC port answers peers only: nothing can be told of it. */
function isTryable(state: PortState['state'], { name }: Door): boolean {
  return state === 'free' || (state === 'sluice' && name === 'SRT');
}

async function reaches(address: string, { door, state }: PortState, timeoutMs: number): Promise<boolean | 'unknown'> {
  if (!isTryable(state, door)) return 'unknown';
  if (state === 'sluice') return srtAnswers({ address, port: door.port }, timeoutMs);
  return arrivesAt(address, door, timeoutMs);
}
