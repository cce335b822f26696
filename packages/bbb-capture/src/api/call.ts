import { type ChecksumAlgorithm, checksumOf } from './checksum.js';
import { BbbError, refusalOf } from './errors.js';

/** Parameters of a call, in the order in which they are sent; undefined ones are left out. */
export type CallParameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a request is signed; undefined for one that isn't. */
export interface Signature {
  readonly algorithm: ChecksumAlgorithm;
  readonly secret: string;
}

export interface Bounds {
  /** For the whole answer. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** Where a redirect leads, absolute. */
  readonly location: string | undefined;
}

/**
 * The address of an API, as calls are put behind it: no slash at its end. What `bbb-conf --secret` prints is taken too,
 * which lacks `/api`.
 *
 * @throws {BbbError} `bad-answer` for what can't be one
 */
export function apiBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new BbbError('bad-answer', 'bbb.url is no URL; write https://bbb.example.org/bigbluebutton/api');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new BbbError('bad-answer', `bbb.url (${url.host}) holds a user, a query or a fragment: leave it out`);
  }
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${path.endsWith('/bigbluebutton') ? `${path}/api` : path}`;
}

/** The query of a call. It is what is signed, byte by byte, so that it must be sent as it is. */
export function queryOf(parameters: CallParameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.append(name, String(value));
  }
  return query.toString();
}

/** The URL of a call. @param base of `apiBase` */
export function callUrl(
  base: string,
  call: string,
  parameters: CallParameters,
  signature: Signature | undefined,
): string {
  const query = queryOf(parameters);
  if (signature === undefined) return query === '' ? `${base}/${call}` : `${base}/${call}?${query}`;
  const checksum = checksumOf(signature.algorithm, { call, query, secret: signature.secret });
  return `${base}/${call}?${query}${query === '' ? '' : '&'}checksum=${checksum}`;
}

/**
 * Gets a URL, without following where it leads to: a signed query is for this server only.
 *
 * @param call for messages
 * @throws {BbbError} `unreachable` where there is no answer in time, `bad-answer` for one that is too long
 */
export async function get(
  call: string,
  url: string,
  { timeoutMs, maxBytes }: Bounds,
  { fetch, signal }: { readonly fetch: typeof globalThis.fetch; readonly signal?: AbortSignal | undefined },
): Promise<HttpAnswer> {
  const { host } = new URL(url);
  // Not AbortSignal.any: what it makes of a signal that lives for hours is kept for as long.
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, timeoutMs);
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: controller.signal,
      headers: { accept: 'text/xml, application/xml, */*;q=0.1' },
    });
    const location = response.headers.get('location');
    const text = await boundedText(call, response, maxBytes);
    return { status: response.status, text, location: location === null ? undefined : absolute(location, url) };
  } catch (error) {
    if (error instanceof BbbError) throw error;
    if (signal?.aborted === true) throw signal.reason;
    if (isLate) throw new BbbError('unreachable', `${host} did not answer ${call} within ${timeoutMs} ms`);
    throw new BbbError('unreachable', `${host} can't be asked for ${call}: ${faultOf(error)}`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

async function boundedText(call: string, response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels what is still to come.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BbbError('bad-answer', `the answer to ${call} is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function absolute(location: string, base: string): string | undefined {
  return URL.canParse(location, base) ? new URL(location, base).href : undefined;
}

/** The system's word for it. Messages of fetch may repeat the URL, so that only those of its cause are shown. */
function faultOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return 'the request could not be made';
  const { code } = cause as NodeJS.ErrnoException;
  // A name with several addresses fails with one error for each, and no words of its own.
  return cause.message === '' ? (code ?? cause.name) : cause.message;
}

/**
 * The refusal that a redirect of `join` carries in its query, `?errors=[{"key","message"}]`, as does the address that a
 * browser ends at.
 *
 * @returns undefined where it carries none
 */
export function refusalInUrl(text: string): BbbError | undefined {
  const errors = URL.canParse(text) ? new URL(text).searchParams.get('errors') : null;
  if (errors === null) return undefined;
  let first: unknown;
  try {
    const parsed: unknown = JSON.parse(errors);
    first = Array.isArray(parsed) ? parsed[0] : parsed;
  } catch {
    return refusalOf('join', '', errors);
  }
  const { key, message } = (typeof first === 'object' && first !== null ? first : {}) as Record<string, unknown>;
  return refusalOf('join', typeof key === 'string' ? key : '', typeof message === 'string' ? message : '');
}
