import {
  type Doorkeeper,
  type PathSettings,
  parseStreamPath,
  type Stream,
  type StreamPath,
  type StreamRouter,
  type StreamState,
} from '@sluice/core';
import type { TrackConfig } from '@sluice/media';
import { type MediaRequest, playRequestOf } from './media-request.js';
import type { MediaResponse } from './media-response.js';
import { sendError, sendJson, sendRefusal } from './responses.js';

/** A stream as the start page and the player see it. */
interface StreamStatus {
  readonly path: StreamPath;
  readonly state: Exclude<StreamState, 'ended'> | 'offline';
  /** ISO 8601. */
  readonly since?: string;
  readonly viewers: number;
  readonly tracks: readonly Readonly<Record<string, unknown>>[];
  /** Which WebRTC leaves out. */
  readonly bFrames?: boolean;
  /** How far back HLS viewers can go, where they can. */
  readonly timeShiftSeconds?: number;
  /** Versions with a picture, each a stream of its own below the path. */
  readonly renditions?: readonly string[];
}

/** What pages are told of the server. */
export interface ServerStatus {
  readonly name: string;
  readonly version: string;
  /** Where encoders publish. */
  readonly rtmpPort: number;
}

/** Tells pages which streams there are, as far as who asks may watch them. */
export class StatusPages {
  readonly #gate: Doorkeeper;
  readonly #router: StreamRouter;
  readonly #server: ServerStatus;
  readonly #mayList: () => boolean;

  constructor(options: { gate: Doorkeeper; router: StreamRouter; server: ServerStatus; mayList: () => boolean }) {
    this.#gate = options.gate;
    this.#router = options.router;
    this.#server = options.server;
    this.#mayList = options.mayList;
  }

  /** `/status/streams` */
  list({ ip }: MediaRequest, response: MediaResponse): void {
    if (!this.#mayList()) {
      sendError(response, 403, 'listing-off', 'this server does not list its streams (player.listStreams is false)');
      return;
    }
    const open = this.#router.streams().filter(({ path }) => this.#gate.isOpenTo('play', path, ip));
    const streams = open.map(statusOf);
    sendJson(response, 200, { server: this.#server, streams });
  }

  /** `/status/streams/{path}`, for who may watch it. */
  async one(request: MediaRequest, response: MediaResponse, text: string): Promise<void> {
    try {
      const path = parseStreamPath(text);
      const isOpen = this.#gate.isOpenTo('play', path, request.ip);
      if (!isOpen) await this.#gate.inspect(playRequestOf(request, 'http-flv', path));
      const stream = this.#router.find(path);
      const status: StreamStatus =
        stream === undefined ? { path, state: 'offline', viewers: 0, tracks: [] } : statusOf(stream);
      // By which a player on another site tells latencies.
      response.setHeader('Access-Control-Expose-Headers', 'Date');
      sendJson(response, 200, status);
    } catch (error) {
      sendRefusal(response, error);
    }
  }
}

function statusOf(stream: Stream): StreamStatus {
  return {
    path: stream.path,
    state: stream.state === 'ended' ? 'offline' : stream.state,
    since: new Date(stream.startedAt).toISOString(),
    viewers: stream.viewers,
    tracks: stream.description.tracks.map(trackStatus),
    bFrames: stream.hasBFrames,
    ...choicesOf(stream.settings),
  };
}

function choicesOf({ hls, transcode }: PathSettings): Pick<StreamStatus, 'timeShiftSeconds' | 'renditions'> {
  const pictured = Object.entries(transcode.renditions).filter(([, { codec }]) => codec !== 'none');
  return {
    ...(hls.enabled && hls.windowSeconds > 0 ? { timeShiftSeconds: hls.windowSeconds } : {}),
    ...(pictured.length > 0 ? { renditions: pictured.map(([name]) => name) } : {}),
  };
}

function trackStatus(config: TrackConfig): Readonly<Record<string, unknown>> {
  const { description: _bytes, ...told } = config;
  return told;
}
