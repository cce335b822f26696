import { iceServersOf } from './ice-servers.js';

/** Where offers go, and with what. */
export interface SdpEndpoint {
  readonly url: string;
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
}

/** Why offer and answer did not come together. */
export type SdpFailureCode =
  /** The server answered something else than 201; `status` and, of a server that says so, `reason` tell what. */
  | 'refused'
  | 'unreachable'
  /** The server's answer is of no use to the browser. */
  | 'bad-answer';

export class SdpExchangeError extends Error {
  override readonly name = 'SdpExchangeError';
  readonly code: SdpFailureCode;
  /** Of the HTTP answer. */
  readonly status: number | undefined;
  /** The server's own word for it, as in `credential-missing`. */
  readonly reason: string | undefined;

  constructor(
    code: SdpFailureCode,
    message: string,
    options: ErrorOptions & { status?: number; reason?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.reason = options.reason;
  }
}

const CREATED = 201;
const BODY_SHOWN = 200;

/**
 * Asks a WHIP or WHEP endpoint which STUN and TURN servers to use, RFC 9725 §4.6. They are needed before the offer.
 * A server that doesn't say so, or doesn't answer, has none: what is wrong with it, the offer will tell.
 *
 * @throws where `signal` aborts it
 */
export async function askIceServers(endpoint: SdpEndpoint, signal: AbortSignal): Promise<RTCIceServer[]> {
  try {
    const response = await fetch(endpoint.url, { method: 'OPTIONS', headers: authorizationOf(endpoint), signal });
    return iceServersOf(response.headers.get('Link'));
  } catch (error) {
    if (signal.aborted) throw error;
    return [];
  }
}

/** What a server made of an offer. */
export interface SdpAnswer {
  /** The URL that the session is ended by; undefined where the server names none. */
  readonly resource: string | undefined;
  readonly sdp: string;
}

/**
 * Offers what a peer connection sends or wants: RFC 9725 §4.2.
 *
 * @param adapt changes the offer on its way to the server
 * @throws {SdpExchangeError}
 * @throws where `signal` aborts it
 */
export async function sendOffer(
  peer: RTCPeerConnection,
  endpoint: SdpEndpoint,
  signal: AbortSignal,
  adapt: (sdp: string) => string = (sdp) => sdp,
): Promise<SdpAnswer> {
  await peer.setLocalDescription(await peer.createOffer());
  const response = await post(endpoint, adapt(peer.localDescription?.sdp ?? ''), signal);
  const text = await response.text();
  if (response.status !== CREATED) throw refusalOf(response.status, text);
  const location = response.headers.get('Location');
  return { resource: location === null ? undefined : new URL(location, endpoint.url).href, sdp: text };
}

/** @throws {SdpExchangeError} `bad-answer` */
export async function takeAnswer(peer: RTCPeerConnection, sdp: string): Promise<void> {
  try {
    await peer.setRemoteDescription({ type: 'answer', sdp });
  } catch (cause) {
    throw new SdpExchangeError('bad-answer', `the browser takes no such answer: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Ends a session, RFC 9725 §4.3; outlives the page. Whether it arrives matters little: the connection's end tells the
 * server the same.
 */
export async function endSession(resource: string, endpoint: SdpEndpoint): Promise<void> {
  await fetch(resource, { method: 'DELETE', headers: authorizationOf(endpoint), keepalive: true }).catch(
    () => undefined,
  );
}

async function post(endpoint: SdpEndpoint, body: string, signal: AbortSignal): Promise<Response> {
  const headers = { ...authorizationOf(endpoint), 'Content-Type': 'application/sdp' };
  try {
    return await fetch(endpoint.url, { method: 'POST', headers, body, signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new SdpExchangeError('unreachable', `the server does not answer: ${messageOf(cause)}`, { cause });
  }
}

function authorizationOf({ authorization }: SdpEndpoint): Record<string, string> {
  return authorization === undefined ? {} : { Authorization: authorization };
}

/** Sluice says `{"error":{"code","message"}}`; other servers say what they like. */
function refusalOf(status: number, text: string): SdpExchangeError {
  const { code, message = text.slice(0, BODY_SHOWN) } = errorOf(text);
  const options = code === undefined ? { status } : { status, reason: code };
  return new SdpExchangeError('refused', message === '' ? `the server answered ${status}` : message, options);
}

function errorOf(text: string): { readonly code?: string; readonly message?: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    return {
      ...(typeof error?.code === 'string' ? { code: error.code } : {}),
      ...(typeof error?.message === 'string' ? { message: error.message } : {}),
    };
  } catch {
    return {};
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
