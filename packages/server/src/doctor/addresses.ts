import { isIPv4 } from 'node:net';
import {
  environmentName,
  type Finding,
  failed,
  isLocalAddress,
  isLoopback,
  messageOf,
  ok,
  parseIceUrl,
  warning,
} from '@sluice/core';
import { askStunServer } from '@sluice/webrtc';

const STUN_TIMEOUT_MS = 3000;

/** What browsers are told, and what is known of this machine. */
export interface AddressFacts {
  readonly announced: readonly string[];
  /** Whether the operator chose them. */
  readonly isConfigured: boolean;
  /** Addresses of this machine. */
  readonly own: readonly string[];
  /** Where STUN servers see it. */
  readonly seen: readonly string[];
}

/** What a STUN server said. */
export interface StunAnswer {
  readonly url: string;
  readonly seen: string | undefined;
  /** Why there is no answer. */
  readonly fault: string | undefined;
}

/** Asks STUN servers where they see this machine. @param urls `stun:host:port`; others are left out */
export async function askStunServers(urls: readonly string[]): Promise<StunAnswer[]> {
  const servers = [...new Set(urls)].filter((url) => parseIceUrl(url)?.scheme === 'stun');
  return Promise.all(
    servers.map(async (url): Promise<StunAnswer> => {
      const { host = '', port = 0 } = parseIceUrl(url) ?? {};
      try {
        const { seen } = await askStunServer({ host, port, timeoutMs: STUN_TIMEOUT_MS });
        return { url, seen: seen.address, fault: undefined };
      } catch (error) {
        return { url, seen: undefined, fault: messageOf(error) };
      }
    }),
  );
}

export function stunFindings(answers: readonly StunAnswer[], { announced }: AddressFacts): Finding[] {
  return answers.map(({ url, seen, fault = '' }) => {
    if (seen === undefined) {
      return warning(url, fault, 'Let this machine send UDP there, or name another STUN server: webrtc.iceServers.');
    }
    if (announced.includes(seen)) return ok(url, `sees this machine at ${seen}, which browsers are told`);
    return warning(
      url,
      `sees this machine at ${seen}, which browsers are not told (${announced.join(', ')})`,
      `Set ${environmentName('webrtc.announce')}=${seen}, or webrtc.stunServer, which finds it at each start.`,
    );
  });
}

/** Whether the addresses that browsers are told lead here. */
export function addressFindings(facts: AddressFacts): Finding[] {
  const findings = facts.announced.map((address) => addressFinding(address, facts));
  const isReachable = [...facts.announced, ...facts.seen].some((address) => !isLocalAddress(address));
  if (!isReachable && facts.announced.some((address) => !isLoopback(address))) {
    findings.push(
      warning(
        'announced addresses',
        'all of them are private: viewers outside this network do not reach them by WebRTC',
        `Set the public address: ${environmentName('webrtc.announce')}=…, or webrtc.stunServer, which finds it. For a network of its own, all is well.`,
      ),
    );
  }
  return findings;
}

function addressFinding(address: string, { own, seen, isConfigured }: AddressFacts): Finding {
  const check = `announced address ${address}`;
  const set = `Set the address under which others reach it: ${environmentName('webrtc.announce')}=…`;
  if (isLoopback(address)) return warning(check, 'only this machine can reach it', set);
  if (own.includes(address)) return ok(check, isConfigured ? 'an address of this machine' : "this machine's own");
  if (isLocalAddress(address)) return failed(check, 'a private address, and none of this machine', set);
  if (seen.includes(address)) return ok(check, 'the public address in front of this machine');
  const isOtherSeen = seen.some((other) => isIPv4(other) === isIPv4(address));
  if (isOtherSeen) return failed(check, `not where this machine is seen (${seen.join(', ')})`, set);
  return warning(
    check,
    'none of this machine: it is taken for the public one of a router in front of it',
    'Forward the ports of SRT, RTMP and WebRTC there. A STUN server in webrtc.iceServers would tell whether it is right.',
  );
}
