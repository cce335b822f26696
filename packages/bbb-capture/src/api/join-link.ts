import { isLoopback } from '@sluice/core';
import { readAnswer } from './answers.js';
import { type Bounds, get, refusalInUrl } from './call.js';
import { BbbError } from './errors.js';
import { SecretUrl } from './secret-url.js';

const MOST_CHARACTERS = 8192;
const BOUNDS: Bounds = { timeoutMs: 10_000, maxBytes: 4 * 1024 * 1024 };

/**
 * Takes a ready link into a meeting, as somebody pasted it.
 *
 * @throws {BbbError} `refused`; the message repeats nothing of the link
 */
export function readJoinLink(text: string): SecretUrl {
  const trimmed = text.trim();
  if (trimmed.length > MOST_CHARACTERS) throw unusable(`is longer than ${MOST_CHARACTERS} characters`);
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  if (url === undefined) throw unusable('is no URL; it begins with https://');
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const isHere = name === 'localhost' || isLoopback(name);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)) {
    throw unusable('must begin with https://: who listens on the way could join, too');
  }
  if (url.username !== '' || url.password !== '') throw unusable('holds a user name; leave out what is before the @');
  return new SecretUrl(url.href);
}

function unusable(why: string): BbbError {
  return new BbbError('refused', `the link to join ${why}`);
}

/**
 * Opens a link as a browser would begin to, and says what BBB refuses: an old link, a wrong password, a meeting that has
 * ended. The meeting is not entered; an attendee who never came is forgotten after a while.
 *
 * @throws {BbbError}
 */
export async function tryJoinLink(
  link: SecretUrl,
  options: {
    readonly fetch?: typeof globalThis.fetch;
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  } = {},
): Promise<void> {
  const { fetch = globalThis.fetch, timeoutMs = BOUNDS.timeoutMs, signal } = options;
  const { status, text, location } = await get('join', link.reveal(), { ...BOUNDS, timeoutMs }, { fetch, signal });
  const refusal = location === undefined ? undefined : refusalInUrl(location);
  if (refusal !== undefined) throw refusal;
  if (status >= 300 && status < 400) {
    // Into the client and into the lobby with a session; where a guest is denied, some versions say no more than this.
    if (location !== undefined && new URL(location).searchParams.has('sessionToken')) return;
    const where = location === undefined ? 'nowhere' : new URL(location).host;
    throw new BbbError('refused', `the link to join leads to ${where} without a session: guests may be denied there`);
  }
  if (status >= 500) throw new BbbError('unreachable', `the link to join is answered with HTTP ${status}`);
  if (text.includes('<response')) readAnswer('join', text);
  else if (status >= 400) throw new BbbError('link-expired', `the link to join is answered with HTTP ${status}`);
}
