import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Clock,
  type EventBus,
  type Gate,
  type Logger,
  type OutputKind,
  Refusal,
  type StreamPath,
  type StreamRouter,
  tryParseStreamPath,
} from '@sluice/core';
import { accessRequestOf, addressOf, sendError, sendRefusal } from '../http/responses.js';
import { HlsOutput } from './hls-output.js';
import { HlsViewers } from './hls-viewers.js';

/** How long a first viewer waits for the first segment, beyond the segment's own length. */
const FIRST_SEGMENT_GRACE_MS = 10_000;
/** An ended stream's segments stay for the viewers that are still behind. */
const LINGER_FACTOR = 2;

/** Serves HLS: playlists and segments of live streams, and of those that have just ended. */
export class HlsDelivery {
  readonly #gate: Gate;
  readonly #router: StreamRouter;
  readonly #viewers: HlsViewers;
  readonly #kind: OutputKind<HlsOutput>;
  readonly #ended = new Map<StreamPath, HlsOutput>();
  readonly #stopListening: () => void;

  constructor(options: { gate: Gate; router: StreamRouter; events: EventBus; clock: Clock; log: Logger }) {
    const { gate, router, events, clock, log } = options;
    this.#gate = gate;
    this.#router = router;
    this.#viewers = new HlsViewers(clock);
    const viewers = this.#viewers;
    this.#kind = {
      name: 'hls',
      create: (source) =>
        new HlsOutput({
          source,
          clock,
          viewers,
          log,
          onEnd: (output) => this.#linger(output, source.ended),
        }),
    };
    this.#stopListening = events.on('stream-started', ({ path }) => {
      const stream = router.find(path);
      this.#ended.delete(path);
      if (stream?.settings.hls.enabled && stream.settings.hls.always) stream.output(this.#kind);
    });
  }

  /** `/{path}.m3u8` */
  async servePlaylist(
    request: IncomingMessage,
    response: ServerResponse,
    text: string,
    query: URLSearchParams,
  ): Promise<void> {
    const left = new AbortController();
    const leave = () => left.abort();
    response.once('close', leave);
    try {
      const output = await this.#admitted(request, text, query);
      const playlist = await output.playlist(FIRST_SEGMENT_GRACE_MS, left.signal);
      if (left.signal.aborted) return;
      if (playlist === undefined) throw new Refusal('not-live', `${output.path} has no segment yet`);
      sendPlaylist(request, response, playlist);
    } catch (error) {
      sendRefusal(response, error);
    } finally {
      response.off('close', leave);
    }
  }

  /** `/{path}/hls/{name}` */
  serveSegment(request: IncomingMessage, response: ServerResponse, text: string, name: string): void {
    const path = tryParseStreamPath(text);
    const bytes = path === undefined ? undefined : this.#find(path)?.segment(name);
    if (path === undefined || bytes === undefined) {
      sendError(response, 404, 'no-segment', 'there is no such segment, or not any more');
      return;
    }
    this.#viewers.seen(viewerKey(request, path), bytes.length);
    response.writeHead(200, {
      'Content-Type': 'video/mp2t',
      'Content-Length': bytes.length,
      'Cache-Control': 'public, max-age=3600, immutable',
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  /** Ends all HLS sessions. */
  close(reason: string): void {
    this.#stopListening();
    this.#viewers.close(reason);
    this.#ended.clear();
  }

  async #admitted(request: IncomingMessage, text: string, query: URLSearchParams): Promise<HlsOutput> {
    const known = tryParseStreamPath(text);
    if (known !== undefined && this.#viewers.seen(viewerKey(request, known), 0)) return this.#output(known);
    const admission = await this.#gate.admit(accessRequestOf(request, 'hls', text, query));
    const { path } = admission.session;
    try {
      const output = this.#output(path);
      this.#viewers.add(viewerKey(request, path), admission);
      return output;
    } catch (error) {
      admission.close('not live', 0);
      throw error;
    }
  }

  /** @throws {Refusal} `not-live` */
  #output(path: StreamPath): HlsOutput {
    const output = this.#find(path);
    if (output === undefined) throw new Refusal('not-live', `nobody publishes ${path}`);
    return output;
  }

  #find(path: StreamPath): HlsOutput | undefined {
    const stream = this.#router.find(path);
    if (stream === undefined) return this.#ended.get(path);
    return stream.settings.hls.enabled ? stream.output(this.#kind) : undefined;
  }

  #linger(output: HlsOutput, streamEnded: boolean): void {
    if (!streamEnded) return;
    const { path } = output;
    this.#ended.set(path, output);
    const timer = setTimeout(
      () => {
        if (this.#ended.get(path) === output) this.#ended.delete(path);
      },
      Math.max(output.windowSeconds, 1) * LINGER_FACTOR * 1000,
    );
    timer.unref();
  }
}

function viewerKey(request: IncomingMessage, path: StreamPath): string {
  return `${addressOf(request)} ${path} ${request.headers['user-agent'] ?? ''}`;
}

function sendPlaylist(
  request: IncomingMessage,
  response: ServerResponse,
  playlist: { readonly text: Buffer; readonly gzip: Buffer },
): void {
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = zipped ? playlist.gzip : playlist.text;
  response.writeHead(200, {
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Content-Length': body.length,
    'Cache-Control': 'no-cache',
    Vary: 'Accept-Encoding',
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
