import type { ServerResponse } from 'node:http';
import { parseStreamPath, type Stream, type StreamPath, type StreamRouter, type StreamState } from '@sluice/core';
import type { TrackConfig } from '@sluice/media';
import { sendError, sendJson, sendRefusal } from './responses.js';

/** A stream as the start page and the player see it. */
interface StreamStatus {
  readonly path: StreamPath;
  readonly state: Exclude<StreamState, 'ended'> | 'offline';
  /** ISO 8601. */
  readonly since?: string;
  readonly viewers: number;
  readonly tracks: readonly Readonly<Record<string, unknown>>[];
}

/** What pages are told of the server. */
export interface ServerStatus {
  readonly name: string;
  readonly version: string;
  /** Where encoders publish. */
  readonly rtmpPort: number;
}

/** Tells pages which streams there are. */
export class StatusPages {
  readonly #router: StreamRouter;
  readonly #server: ServerStatus;
  readonly #mayList: boolean;

  constructor(options: { router: StreamRouter; server: ServerStatus; mayList: boolean }) {
    this.#router = options.router;
    this.#server = options.server;
    this.#mayList = options.mayList;
  }

  /** `/status/streams` */
  list(response: ServerResponse): void {
    if (!this.#mayList) {
      sendError(response, 403, 'listing-off', 'this server does not list its streams (player.listStreams is false)');
      return;
    }
    const streams = this.#router.streams().map(statusOf);
    sendJson(response, 200, { server: this.#server, streams });
  }

  /** `/status/streams/{path}` */
  one(response: ServerResponse, text: string): void {
    try {
      const path = parseStreamPath(text);
      const stream = this.#router.find(path);
      const status: StreamStatus =
        stream === undefined ? { path, state: 'offline', viewers: 0, tracks: [] } : statusOf(stream);
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
  };
}

function trackStatus(config: TrackConfig): Readonly<Record<string, unknown>> {
  const { description: _bytes, ...told } = config;
  return told;
}
