import { malformed } from '../errors.js';
import type { IceCredentials } from '../session/ice-lite.js';
import { candidateLine, type HostCandidate } from './candidate.js';

/** RFC 8840 §9: what is sent after offer and answer. */
export const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

const MOST_LINES = 1000;

/**
 * Reads a fragment, RFC 8840 §4.4. A lite agent takes no note of candidates.
 *
 * @returns the credentials of its peer, which are others than before where that begins anew
 * @throws {WebRtcError} `malformed`
 */
export function readFragment(text: string): IceCredentials {
  const lines = text.split(/\r?\n/, MOST_LINES);
  const lineOf = (name: string) =>
    lines
      .find((line) => line.startsWith(name))
      ?.slice(name.length)
      .trim();
  const [ufrag, password] = [lineOf('a=ice-ufrag:'), lineOf('a=ice-pwd:')];
  if (ufrag === undefined || password === undefined) throw malformed('the fragment has no ice-ufrag or no ice-pwd');
  return { ufrag, password };
}

/** The answer to a peer that begins anew, RFC 9725 §4.3.2. */
export function writeFragment(
  { ufrag, password }: IceCredentials,
  candidates: readonly HostCandidate[],
  { kind, mid }: { readonly kind: string; readonly mid: string },
): string {
  const lines = [
    'a=ice-lite',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password}`,
    `m=${kind} 9 UDP/TLS/RTP/SAVPF 0`,
    `a=mid:${mid}`,
    ...candidates.map(candidateLine),
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
