import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessRequest } from '@sluice/core';
import { MOST_SDP_BYTES, WebRtcError } from '@sluice/webrtc';
import { accessRequestOf, type MediaRequest } from './media-request.js';
import { sendError, sendRefusal } from './responses.js';

/** Who answers the offers of WHIP or of WHEP. */
export interface SdpHandler {
  /**
   * Answers an offer.
   *
   * @param signal aborted when the client is gone
   * @throws {WebRtcError} `malformed`, or `unsupported` where nothing of it is possible
   * @throws {Refusal}
   */
  offer(
    sdp: string,
    asked: AccessRequest,
    signal: AbortSignal,
  ): Promise<{ /** A name that only the client is told. */ readonly id: string; readonly answer: string }>;
  has(id: string): boolean;
  /** @returns false where there is no such session */
  end(id: string): boolean;
}

/** How long a body may take to come. */
const BODY_TIMEOUT_MS = 5000;

/** A body that can't be taken, with the status that says so. */
class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** `/whip/app/name` and `/whep/app/name`, with a session's name behind them once there is one. */
const OWN = /^\/(whip|whep)\/([^/]+(?:\/[^/]+)?)(?:\/([^/]+))?$/;
/** The forms of SRS. */
const SRS = /^\/rtc\/v1\/(whip|whep|whip-play)\/?$/;

/** What a URL of either form says. */
interface SdpRoute {
  readonly action: 'publish' | 'play';
  readonly path: string;
  readonly id: string | undefined;
  locationOf(id: string): string;
}

function routeOf(pathname: string, query: URLSearchParams): SdpRoute | undefined {
  const [, kind, path, id] = OWN.exec(pathname) ?? [];
  if (kind !== undefined && path !== undefined) {
    const action = kind === 'whip' ? 'publish' : 'play';
    return { action, path, id, locationOf: (session) => `/${kind}/${path}/${session}` };
  }
  const [, srsKind] = SRS.exec(pathname) ?? [];
  if (srsKind === undefined) return undefined;
  const [app, stream] = [query.get('app') ?? 'live', query.get('stream') ?? 'livestream'];
  return {
    action: srsKind === 'whip' ? 'publish' : 'play',
    path: `${app}/${stream}`,
    id: query.get('session') ?? undefined,
    locationOf: (session) => `${pathname}?${new URLSearchParams({ action: 'delete', app, stream, session })}`,
  };
}

/** WHIP (RFC 9725) and WHEP over HTTP: offer and answer in one request, and a resource to end the session by. */
export class SdpExchange {
  readonly #handlers: Readonly<Record<'publish' | 'play', SdpHandler>>;

  constructor(handlers: { readonly publish: SdpHandler; readonly play: SdpHandler }) {
    this.#handlers = handlers;
  }

  /** Whether a path is one of this. */
  static fits(pathname: string): boolean {
    return OWN.test(pathname) || SRS.test(pathname);
  }

  /** Serves one request to its end. Never rejects for what a client does. */
  async serve(request: MediaRequest, response: ServerResponse): Promise<void> {
    const route = routeOf(request.pathname, request.query);
    const { method } = request.message;
    if (route === undefined) {
      sendError(response, 404, 'not-found', 'there is nothing here');
      return;
    }
    const { id } = route;
    const handler = this.#handlers[route.action];
    if (method === 'POST' && id === undefined) await this.#offer(request, response, route, handler);
    else if (method === 'DELETE' && id !== undefined && handler.end(id)) response.writeHead(200).end();
    // A lite agent needs no candidates of its peer: it takes note of none.
    else if (method === 'PATCH' && id !== undefined && handler.has(id)) response.writeHead(204).end();
    else if ((method === 'DELETE' || method === 'PATCH') && id !== undefined) {
      sendError(response, 404, 'not-found', 'there is no such session (any more)');
    } else {
      response.setHeader('Allow', id === undefined ? 'POST, OPTIONS' : 'DELETE, PATCH, OPTIONS');
      sendError(response, 405, 'method', `${method} is not possible here`);
    }
  }

  async #offer(
    request: MediaRequest,
    response: ServerResponse,
    { action, path, locationOf }: SdpRoute,
    handler: SdpHandler,
  ): Promise<void> {
    const left = new AbortController();
    const leave = () => left.abort();
    const { socket } = request.message;
    socket.once('close', leave);
    try {
      const sdp = await readSdp(request.message);
      const asked = accessRequestOf(request, action, 'webrtc', path);
      const { id, answer } = await handler.offer(sdp, asked, left.signal);
      response.writeHead(201, {
        'Content-Type': 'application/sdp',
        Location: locationOf(id),
        ETag: `"${id.slice(0, 8)}"`,
        'Access-Control-Expose-Headers': 'Location, ETag',
        'Cache-Control': 'no-store',
      });
      response.end(answer);
    } catch (error) {
      if (error instanceof BodyError) sendError(response, error.status, 'bad-body', error.message);
      else if (error instanceof WebRtcError) {
        const isPossible = error.code !== 'unsupported';
        sendError(response, isPossible ? 400 : 406, isPossible ? 'bad-sdp' : 'not-possible', error.message);
      } else sendRefusal(response, error);
    } finally {
      socket.off('close', leave);
    }
  }
}

/** @throws {BodyError} */
async function readSdp(message: IncomingMessage): Promise<string> {
  const [type = ''] = (message.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/sdp') throw new BodyError(415, 'send an offer as application/sdp');
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => message.destroy(new BodyError(408, 'the offer took too long')), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MOST_SDP_BYTES) throw new BodyError(413, `an offer has at most ${MOST_SDP_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    throw new BodyError(400, 'the offer was cut off');
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
