import { type Doorkeeper, Refusal } from '@sluice/core';
import { FRAGMENT_TYPE, type Peer, WebRtcError, type WebRtcServer } from '@sluice/webrtc';
import { accessRequestOf, type MediaRequest } from '../media-request.js';
import { isAbandoned, type MediaResponse, type NodeResponse } from '../media-response.js';
import { sendError, sendRefusal } from '../responses.js';
import { type IceServerSettings, iceServerLinks } from './ice-servers.js';
import { LegacyRtc } from './legacy-rtc.js';
import { BodyError, readBody, typeOf } from './sdp-body.js';
import type { SdpHandlers } from './sdp-handler.js';
import { announcedBy, legacyActionOf, type SdpRoute, sdpRouteOf } from './sdp-route.js';

export interface SdpExchangeOptions {
  readonly handlers: SdpHandlers;
  readonly server: WebRtcServer;
  readonly gate: Doorkeeper;
  readonly settings: () => IceServerSettings;
  /** Seconds since 1970. */
  readonly now: () => number;
}

const SDP_TYPE = 'application/sdp';
const ALLOWED = 'POST, PATCH, DELETE, OPTIONS';

/** WHIP (RFC 9725) and WHEP over HTTP: offer and answer in one request, and a resource to change and end a session. */
export class SdpExchange {
  readonly #options: SdpExchangeOptions;
  readonly #legacy: LegacyRtc;

  constructor(options: SdpExchangeOptions) {
    this.#options = options;
    this.#legacy = new LegacyRtc(options.handlers);
  }

  /** Serves one request to its end. Never rejects for what a client does. */
  async serve(request: MediaRequest, response: NodeResponse): Promise<void> {
    const { method = '' } = request.message;
    const legacy = legacyActionOf(request.pathname);
    const route = sdpRouteOf(method, request.pathname, request.query);
    try {
      if (method === 'OPTIONS') await this.#tellOptions(request, response, route);
      else if (legacy !== undefined && method === 'POST') await this.#legacy.serve(request, response, legacy);
      else if (route === undefined || !ALLOWED.includes(method)) sendNotAllowed(response, method);
      else if (method === 'POST') await this.#offer(request, response, route);
      else await this.#change(request, response, route);
    } catch (error) {
      if (error instanceof BodyError) sendError(response, error.status, 'bad-body', error.message);
      else if (error instanceof WebRtcError) {
        const isPossible = error.code !== 'unsupported';
        sendError(response, isPossible ? 400 : 406, isPossible ? 'bad-sdp' : 'not-possible', error.message);
      } else sendRefusal(response, error);
    }
  }

  async #offer(request: MediaRequest, response: NodeResponse, route: SdpRoute): Promise<void> {
    if (typeOf(request.message) !== SDP_TYPE) throw new BodyError(415, `send an offer as ${SDP_TYPE}`);
    const sdp = await readBody(request.message);
    const { action, path, locationOf } = route;
    const asked = accessRequestOf(request, action, 'webrtc', path);
    const peer = await this.#options.handlers[action].offer(sdp, asked, announcedBy(request.query));
    if (isAbandoned(response)) {
      peer.close('the client has not waited for the answer');
      return;
    }
    const { settings, now } = this.#options;
    const links = iceServerLinks(settings(), peer.id.slice(0, 16), now());
    response.writeHead(201, {
      'Content-Type': SDP_TYPE,
      Location: locationOf(peer.id),
      ETag: tagOf(peer),
      ...(links.length === 0 ? {} : { Link: links }),
      'Accept-Patch': FRAGMENT_TYPE,
      'Access-Control-Expose-Headers': 'Location, ETag, Link, Accept-Patch',
      'Cache-Control': 'no-store',
    });
    response.end(peer.answer);
  }

  /** RFC 9725 §4.2 and §4.3: ends a session, or takes candidates and new credentials of ICE. */
  async #change({ message }: MediaRequest, response: NodeResponse, { id }: SdpRoute): Promise<void> {
    const peer = id === undefined ? undefined : this.#options.server.peer(id);
    if (peer === undefined) {
      sendError(response, 404, 'not-found', 'there is no such session (any more)');
      return;
    }
    if (message.method === 'DELETE') {
      peer.close('the client has left');
      response.writeHead(200).end();
      return;
    }
    const text = await readBody(message);
    if (text !== '' && typeOf(message) !== FRAGMENT_TYPE)
      throw new BodyError(415, `send a fragment as ${FRAGMENT_TYPE}`);
    const expected = message.headers['if-match'];
    if (expected !== undefined && expected !== '*' && expected !== tagOf(peer)) {
      sendError(response, 412, 'outdated', 'the session has begun anew to look for ways since');
      return;
    }
    const answer = text === '' ? undefined : peer.fragment(text);
    if (answer === undefined) {
      response.writeHead(204);
      response.end();
    } else {
      response.writeHead(200, {
        'Content-Type': FRAGMENT_TYPE,
        ETag: tagOf(peer),
        'Access-Control-Expose-Headers': 'ETag',
        'Cache-Control': 'no-store',
      });
      response.end(answer);
    }
  }

  /** What is possible, and the servers that help to get through; a relay's credentials go to who would be let in. */
  async #tellOptions(request: MediaRequest, response: NodeResponse, route: SdpRoute | undefined): Promise<void> {
    const { settings, now } = this.#options;
    const isPreflight = request.message.headers['access-control-request-method'] !== undefined;
    const id = isPreflight || route === undefined ? undefined : await this.#idOf(request, route);
    const links = iceServerLinks(settings(), id, now());
    response.writeHead(204, {
      'Access-Control-Allow-Methods': ALLOWED,
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match',
      'Access-Control-Expose-Headers': 'Link, Accept-Post, Accept-Patch',
      'Access-Control-Max-Age': '86400',
      'Accept-Post': SDP_TYPE,
      'Accept-Patch': FRAGMENT_TYPE,
      ...(links.length === 0 ? {} : { Link: links }),
    });
    response.end();
  }

  async #idOf(request: MediaRequest, { action, path }: SdpRoute): Promise<string | undefined> {
    try {
      const identity = await this.#options.gate.inspect(accessRequestOf(request, action, 'webrtc', path));
      return identity.kind;
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }
}

const tagOf = ({ iceTag }: Peer): string => `"${iceTag}"`;

function sendNotAllowed(response: MediaResponse, method: string): void {
  response.setHeader('Allow', ALLOWED);
  sendError(response, 405, 'method', `${method} is not possible here`);
}
