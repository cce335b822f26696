import type { ServerResponse } from 'node:http';
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
import { secondsFromMicros } from '@sluice/media';
import { type MediaRequest, playRequestOf } from '../http/media-request.js';
import { sendError, sendRefusal } from '../http/responses.js';
import { sendResource } from '../http/send-resource.js';
import type { SegmentDisk } from './disk/segment-disk.js';
import { HlsOutput, type PlaylistQuestion, startsWithStream, type WindowNews } from './hls-output.js';
import { HlsSessions, type HlsViewer } from './hls-sessions.js';
import type { SharedText } from './shared-text.js';

/** How long a first viewer waits for the first segment, beyond the segment's own length. */
const FIRST_SEGMENT_GRACE_MS = 10_000;
/** The parameter of segment URLs that names the session which they belong to. */
const SESSION_PARAMETER = 'session';
/** An ended stream's segments stay for the viewers that are still behind. */
const LINGER_FACTOR = 2;
const MOST_DOUBLE_LINGER_SECONDS = 600;

export interface HlsDeliveryOptions {
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly events: EventBus;
  readonly clock: Clock;
  /** Where segments go that leave memory. */
  readonly disk: SegmentDisk;
  readonly log: Logger;
}

/** Serves HLS: playlists and segments of live streams, and of those that have just ended. */
export class HlsDelivery {
  readonly #router: StreamRouter;
  readonly #sessions: HlsSessions;
  readonly #kind: OutputKind<HlsOutput>;
  readonly #ended = new Map<StreamPath, HlsOutput>();
  readonly #disk: SegmentDisk;
  readonly #events: EventBus;
  readonly #log: Logger;
  readonly #stopListening: () => void;

  constructor(options: HlsDeliveryOptions) {
    const { gate, router, events, clock, disk, log } = options;
    this.#router = router;
    this.#disk = disk;
    this.#events = events;
    this.#log = log;
    const sessions = new HlsSessions({ gate, clock });
    this.#sessions = sessions;
    this.#kind = {
      name: 'hls',
      // No browser plays Opus out of MPEG-TS.
      sound: { to: 'aac', from: ['opus'] },
      create: (source) =>
        new HlsOutput({
          source,
          clock,
          viewers: (path) => sessions.countOf(path),
          disk,
          log,
          onWindow: (output, news) => this.#tellOfWindow(output, news),
          onSegment: ({ path }, { number, duration }, url) =>
            events.emit('hls-segment', {
              path,
              sequence: number,
              duration: secondsFromMicros(duration),
              url: `/${path.slice(0, path.lastIndexOf('/') + 1)}${url}`,
              playlistUrl: `/${path}.m3u8`,
            }),
          onEnd: (output) => this.#linger(output, source.ended),
        }),
    };
    this.#stopListening = events.on('stream-started', ({ path }) => {
      const stream = router.find(path);
      this.#forget(path);
      if (stream?.settings.hls.enabled && startsWithStream(stream.settings)) stream.output(this.#kind);
    });
  }

  /** `/{path}.m3u8` */
  async servePlaylist(request: MediaRequest, response: ServerResponse, path: string): Promise<void> {
    const left = new AbortController();
    const leave = () => left.abort();
    response.once('close', leave);
    try {
      const viewer = await this.#enter(request, path);
      const output = this.#outputFor(viewer);
      const question = questionOf(request.query);
      if (question === undefined || (question.position !== undefined && output.isTooFar(question.position))) {
        sendError(response, 400, 'bad-position', 'there is no such _HLS_msn or _HLS_part, and will be none soon');
        return;
      }
      const patience = question.position === undefined ? FIRST_SEGMENT_GRACE_MS : patienceOf(output);
      const playlist = await output.playlist(question, patience, left.signal);
      if (left.signal.aborted) return;
      if (playlist === undefined) throw new Refusal('not-live', `${output.path} has no segment yet`);
      sendPlaylist(request, response, playlist, viewer);
    } catch (error) {
      sendRefusal(response, error);
    } finally {
      response.off('close', leave);
    }
  }

  /** `/{path}/hls/{name}` */
  async serveResource(request: MediaRequest, response: ServerResponse, text: string, name: string): Promise<void> {
    const left = new AbortController();
    const leave = () => left.abort();
    response.once('close', leave);
    try {
      const path = tryParseStreamPath(text);
      const output = path === undefined ? undefined : this.#find(path);
      const viewer = output && (await this.#enter(request, text));
      const resource = await output?.resource(name, patienceOf(output), left.signal);
      if (resource === undefined || viewer === undefined) {
        if (!left.signal.aborted) sendError(response, 404, 'no-segment', 'there is no such segment, or not any more');
        return;
      }
      const { type } = resource;
      const caching = `${viewer.key === undefined ? 'public' : 'private'}, max-age=3600, immutable`;
      const headers = { 'Content-Type': type, 'Cache-Control': caching };
      this.#sessions.sent(viewer, await sendResource(request.message, response, resource, headers));
    } catch (error) {
      sendRefusal(response, error);
    } finally {
      response.off('close', leave);
    }
  }

  /** Ends all HLS sessions. Streams have ended by then. Resolves when nothing is left on disk. */
  async close(reason: string): Promise<void> {
    this.#stopListening();
    this.#sessions.close(reason);
    for (const path of [...this.#ended.keys()]) this.#forget(path);
    await this.#disk.close();
  }

  #enter(request: MediaRequest, path: string): Promise<HlsViewer> {
    const asked = playRequestOf(request, 'hls', path);
    return this.#sessions.enter(asked, request.query.get(SESSION_PARAMETER) ?? undefined);
  }

  /** @throws {Refusal} `not-live`; who watches nothing is no viewer */
  #outputFor(viewer: HlsViewer): HlsOutput {
    const { path } = viewer.session;
    const output = this.#find(path);
    if (output !== undefined) return output;
    this.#sessions.end(viewer, 'not live');
    throw new Refusal('not-live', `nobody publishes ${path}`);
  }

  #find(path: StreamPath): HlsOutput | undefined {
    const stream = this.#router.find(path);
    if (stream === undefined) return this.#ended.get(path);
    return stream.settings.hls.enabled ? stream.output(this.#kind) : undefined;
  }

  #linger(output: HlsOutput, streamEnded: boolean): void {
    if (!streamEnded) {
      output.close();
      return;
    }
    const { path, windowSeconds } = output;
    this.#forget(path);
    this.#ended.set(path, output);
    const seconds = Math.max(windowSeconds, Math.min(windowSeconds * LINGER_FACTOR, MOST_DOUBLE_LINGER_SECONDS));
    const timer = setTimeout(() => {
      if (this.#ended.get(path) === output) this.#forget(path);
    }, Math.max(seconds, LINGER_FACTOR) * 1000);
    timer.unref();
  }

  #forget(path: StreamPath): void {
    this.#ended.get(path)?.close();
    this.#ended.delete(path);
  }

  #tellOfWindow({ path, windowSeconds: seconds }: HlsOutput, news: WindowNews): void {
    if (news.kind === 'resumed') {
      this.#log.info({ path }, 'HLS segments are kept on disk again');
      this.#events.emit('hls-window-resumed', { path });
      return;
    }
    const { trouble: reason, detail } = news;
    this.#log.warn({ path, reason, detail, seconds }, `viewers can seek back ${Math.round(seconds)} s only`);
    this.#events.emit('hls-window-shrunk', { path, reason, seconds });
  }
}

function sendPlaylist(
  { message }: MediaRequest,
  response: ServerResponse,
  playlist: SharedText,
  { key }: HlsViewer,
): void {
  const zipped = key === undefined && /\bgzip\b/.test(String(message.headers['accept-encoding'] ?? ''));
  const shared = zipped ? playlist.gzip : playlist.plain;
  const body = key === undefined ? shared : [withSession(playlist, key)];
  response.writeHead(200, {
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Content-Length': body.reduce((sum, { length }) => sum + length, 0),
    'Cache-Control': key === undefined ? 'no-cache' : 'private, no-store',
    Vary: 'Accept-Encoding',
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
  });
  // Many pieces, one write.
  response.cork();
  if (message.method !== 'HEAD') for (const piece of body) response.write(piece);
  response.end();
  response.uncork();
}

/** Lines that are no tag and no comment are URIs, RFC 8216 §4.1; tags have theirs in an attribute. */
function withSession(playlist: SharedText, key: string): Buffer {
  const parameter = `?${SESSION_PARAMETER}=${key}`;
  const text = playlist.toString().replace(/^(?!#).+$|(?<=[:,]URI=")[^"]+/gm, (uri) => `${uri}${parameter}`);
  return Buffer.from(text);
}

/** RFC 8216bis §6.2.5.2: a request waits three target durations at most. */
const patienceOf = (output: HlsOutput): number => output.targetSeconds * 3000;

/** `?_HLS_msn=17&_HLS_part=3&_HLS_skip=YES`, RFC 8216bis §6.2.5. @returns undefined for what can't be read */
function questionOf(query: URLSearchParams): PlaylistQuestion | undefined {
  const [segment, part, skip] = ['_HLS_msn', '_HLS_part', '_HLS_skip'].map((name) => query.get(name));
  const delta = skip === 'YES' || skip === 'v2';
  if (segment == null) return part == null ? { delta } : undefined;
  if (!/^\d{1,15}$/.test(segment) || (part != null && !/^\d{1,6}$/.test(part))) return undefined;
  // Without a part, the whole segment is meant.
  const position = { segment: Number(segment), part: part == null ? Number.POSITIVE_INFINITY : Number(part) };
  return { position, delta };
}
