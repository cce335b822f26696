import { randomBytes } from 'node:crypto';
import {
  type Clock,
  type Doorkeeper,
  type EventBus,
  type Logger,
  type OutputKind,
  type PathSettings,
  Refusal,
  type RenditionDirectory,
  type StreamPath,
  type StreamRouter,
  tryParseStreamPath,
} from '@sluice/core';
import { secondsFromMicros, type TrackConfig, type VideoTrackConfig } from '@sluice/media';
import { audienceOf, changing, unchanging } from '../http/caching.js';
import { type MediaRequest, playRequestOf } from '../http/media-request.js';
import type { NodeResponse } from '../http/media-response.js';
import { sendError, sendRefusal } from '../http/responses.js';
import { sendResource } from '../http/send-resource.js';
import { Departure } from '../segments/departure.js';
import { forFirstViewer } from '../segments/first-viewer.js';
import { type KnownViewer, SESSION_PARAMETER, ViewerSessions } from '../segments/viewer-sessions.js';
import { primaryTracks } from '../tags/selection.js';
import type { SegmentDisk } from './disk/segment-disk.js';
import { HlsOutput, type PlaylistQuestion, startsWithStream, type WindowNews } from './hls-output.js';
import { renderMultivariant, type Variant } from './multivariant-playlist.js';
import type { RenditionReport } from './playlist.js';
import type { SharedText } from './shared-text.js';

/** How long a first viewer waits for the first segment, beyond the segment's own length. */
const FIRST_SEGMENT_GRACE_MS = 10_000;
/** What Opus is turned into. */
const AAC = 'mp4a.40.2';
/** The parameter that asks for the source's own playlist, where others are made of it. */
const SOURCE_PARAMETER = 'source';
/** An ended stream's segments stay for the viewers that are still behind. */
const LINGER_FACTOR = 2;
/** What a blocked request got may be kept for so many target durations. */
const BLOCKED_TARGETS = 6;
const MOST_DOUBLE_LINGER_SECONDS = 600;

export interface HlsDeliveryOptions {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly renditions: RenditionDirectory;
  readonly events: EventBus;
  readonly clock: Clock;
  /** Where segments go that leave memory. */
  readonly disk: SegmentDisk;
  /** Whether a stream is packaged from its start on, whoever watches; as its settings say where it is left out. */
  readonly startsWithStream?: ((settings: PathSettings) => boolean) | undefined;
  readonly log: Logger;
}

/** Serves HLS: playlists and segments of live streams, and of those that have just ended. */
export class HlsDelivery {
  readonly #router: StreamRouter;
  readonly #renditions: RenditionDirectory;
  readonly #sessions: ViewerSessions;
  readonly #kind: OutputKind<HlsOutput>;
  readonly #ended = new Map<StreamPath, HlsOutput>();
  readonly #disk: SegmentDisk;
  readonly #events: EventBus;
  readonly #log: Logger;
  readonly #stopListening: () => void;

  constructor(options: HlsDeliveryOptions) {
    const { gate, router, events, clock, disk, log } = options;
    const isAlwaysOn = options.startsWithStream ?? startsWithStream;
    this.#disk = disk;
    this.#events = events;
    this.#log = log;
    this.#renditions = options.renditions;
    this.#router = router;
    const sessions = new ViewerSessions({ gate, clock });
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
          reports: (output) => this.#reports(output.path),
          random: randomBytes,
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
      if (stream?.settings.hls.enabled && isAlwaysOn(stream.settings)) stream.output(this.#kind);
    });
  }

  /** `/{path}.m3u8` */
  async servePlaylist(request: MediaRequest, response: NodeResponse, path: string): Promise<void> {
    const departure = new Departure(response);
    try {
      const viewer = await this.#enter(request, path);
      const output = await this.#outputFor(viewer, departure);
      const question = questionOf(request.query);
      if (question === undefined || (question.position !== undefined && output.isTooFar(question.position))) {
        sendError(response, 400, 'bad-position', 'there is no such _HLS_msn or _HLS_part, and will be none soon');
        return;
      }
      const patience = question.position === undefined ? FIRST_SEGMENT_GRACE_MS : patienceOf(output);
      const playlist = await output.playlist(question, patience, departure);
      if (departure.hasLeft) return;
      if (playlist === undefined) throw new Refusal('not-live', `${output.path} has no segment yet`);
      const variants = isOfAll(request.query) ? this.#variants(output, request.query) : [];
      if (variants.length > 1) sendMultivariant(request, response, variants, output, viewer);
      else sendPlaylist(request, response, playlist, { key: viewer.key, caching: cachingOf(output, question, viewer) });
    } catch (error) {
      sendRefusal(response, error);
    }
  }

  /** `/{path}/hls/{name}` */
  async serveResource(request: MediaRequest, response: NodeResponse, text: string, name: string): Promise<void> {
    const departure = new Departure(response);
    try {
      const path = tryParseStreamPath(text);
      const output = path === undefined ? undefined : this.#find(path);
      const viewer = output && (await this.#enter(request, text));
      const resource = await output?.resource(name, patienceOf(output), departure);
      if (resource === undefined || viewer === undefined || output === undefined) {
        if (!departure.hasLeft) sendError(response, 404, 'no-segment', 'there is no such segment, or not any more');
        return;
      }
      const headers = {
        'Content-Type': resource.type,
        'Cache-Control': resource.isKey ? 'no-store' : unchanging(audienceOf(viewer.key, output.access)),
      };
      this.#sessions.sent(viewer, await sendResource(request.message, response, resource, headers));
    } catch (error) {
      sendRefusal(response, error);
    }
  }

  /** Ends all HLS sessions. Streams have ended by then. Resolves when nothing is left on disk. */
  async close(reason: string): Promise<void> {
    this.#stopListening();
    this.#sessions.close(reason);
    for (const path of [...this.#ended.keys()]) this.#forget(path);
    await this.#disk.close();
  }

  #enter(request: MediaRequest, path: string): Promise<KnownViewer> {
    const asked = playRequestOf(request, 'hls', path);
    return this.#sessions.enter(asked, request.query.get(SESSION_PARAMETER) ?? undefined);
  }

  /** @throws {Refusal} `not-live`, or `unavailable` for a rendition that can't be made; who watches nothing is no viewer */
  async #outputFor(viewer: KnownViewer, departure: Departure): Promise<HlsOutput> {
    const { path } = viewer.session;
    const output = this.#find(path);
    if (output !== undefined) return output;
    const mayCome = this.#sourceOf(path) !== undefined || this.#router.canFetch(path);
    const first = { viewer, departure, router: this.#router, sessions: this.#sessions };
    return forFirstViewer(first, mayCome, (stream) => {
      if (!stream.settings.hls.enabled) throw new Refusal('not-live', `${path} is not given over HLS`);
      return stream.output(this.#kind);
    });
  }

  #find(path: StreamPath): HlsOutput | undefined {
    const stream = this.#router.find(path);
    if (stream === undefined) return this.#ended.get(path);
    return stream.settings.hls.enabled ? stream.output(this.#kind) : undefined;
  }

  /** The source and its renditions, where there are any. Who may watch the one may watch the others. */
  #variants(output: HlsOutput, query: URLSearchParams): Variant[] {
    const name = output.path.slice(output.path.lastIndexOf('/') + 1);
    const credentials = query.size === 0 ? '' : `&${query}`;
    const uri = `${name}.m3u8?${SOURCE_PARAMETER}=1${credentials}`;
    const tracks = this.#router.find(output.path)?.description.tracks ?? [];
    const { codecs, size, frameRate } = describe(tracks);
    const source: Variant = { uri, bandwidth: output.peakBitrate, codecs, size, frameRate };
    const others = this.#renditions.renditionsOf(output.path).flatMap((rendition): Variant[] => {
      const { path, bandwidth, width, height, state } = rendition;
      if (state === 'refused' || state === 'failed') return [];
      const own = `${name}/${path.slice(path.lastIndexOf('/') + 1)}.m3u8${query.size === 0 ? '' : `?${query}`}`;
      const picture = width === undefined || height === undefined ? undefined : { width, height };
      return [{ uri: own, bandwidth, codecs: rendition.codecs, size: picture, frameRate: picture && frameRate }];
    });
    return [source, ...others];
  }

  /** What a rendition is made of. */
  #sourceOf(path: StreamPath): StreamPath | undefined {
    const parent = tryParseStreamPath(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    const isOne = parent !== undefined && this.#renditions.renditionsOf(parent).some((made) => made.path === path);
    return isOne ? parent : undefined;
  }

  #reports(path: StreamPath): RenditionReport[] {
    const source = this.#sourceOf(path) ?? (this.#renditions.renditionsOf(path).length > 0 ? path : undefined);
    if (source === undefined) return [];
    const last = (of: string) => of.slice(of.lastIndexOf('/') + 1);
    const own = `${last(source)}.m3u8?${SOURCE_PARAMETER}=1`;
    const fromSource = path === source;
    const siblings = this.#renditions.renditionsOf(source).map((rendition) => ({
      path: rendition.path,
      uri: fromSource ? `${last(source)}/${last(rendition.path)}.m3u8` : `${last(rendition.path)}.m3u8`,
    }));
    return [{ path: source, uri: `../${own}` }, ...siblings].flatMap((version) => {
      const output = version.path === path ? undefined : this.#router.find(version.path)?.running(this.#kind);
      return output?.report(version.uri) ?? [];
    });
  }

  #linger(output: HlsOutput, streamEnded: boolean): void {
    const { path, windowSeconds } = output;
    // Whoever comes after the last viewer of a stream from elsewhere is to have it fetched again, and not its past end.
    if (!streamEnded || (output.viewers === 0 && this.#router.canFetch(path))) {
      output.close();
      return;
    }
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

/**
 * What was waited for is true for as long as its URL says what there was to wait for, RFC 8216bis §B.1; what is new now
 * is old after half a segment.
 */
function cachingOf(output: HlsOutput, { position }: PlaylistQuestion, { key }: KnownViewer): string {
  if (position !== undefined && !output.covers(position)) return 'no-store';
  const audience = audienceOf(key, output.access);
  return changing(audience, output.targetSeconds * (position === undefined ? 0.5 : BLOCKED_TARGETS));
}

/** Whether a question is for all versions, and not for the source's own playlist. */
const isOfAll = (query: URLSearchParams): boolean => !query.has(SOURCE_PARAMETER) && !query.has('_HLS_msn');

function describe(tracks: readonly TrackConfig[]): Pick<Variant, 'codecs' | 'size' | 'frameRate'> {
  const carried = primaryTracks({ tracks, metadata: {} });
  const video = carried.find((track): track is VideoTrackConfig => track.kind === 'video');
  const codecs = carried.map(({ codec, codecString }) => (codec === 'opus' ? AAC : codecString)).join(',');
  const size = video === undefined || video.width === 0 ? undefined : { width: video.width, height: video.height };
  return { codecs, size, frameRate: video?.frameRate };
}

function sendMultivariant(
  { message, query }: MediaRequest,
  response: NodeResponse,
  variants: readonly Variant[],
  { isIndependent: independent, captions, targetSeconds, access }: HlsOutput,
  { key }: KnownViewer,
): void {
  // It carries the query on, with the credentials in it.
  const audience = query.size > 0 ? 'own' : audienceOf(key, access);
  const body = Buffer.from(renderMultivariant({ variants, independent, captions }));
  response.writeHead(200, {
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Content-Length': body.length,
    'Cache-Control': changing(audience, targetSeconds / 2),
  });
  response.end(message.method === 'HEAD' ? Buffer.alloc(0) : body);
}

function sendPlaylist(
  { message }: MediaRequest,
  response: NodeResponse,
  playlist: SharedText,
  { key, caching }: { readonly key: string | undefined; readonly caching: string },
): void {
  const zipped = key === undefined && /\bgzip\b/.test(String(message.headers['accept-encoding'] ?? ''));
  const shared = zipped ? playlist.gzip : playlist.plain;
  const pieces = key === undefined ? shared : [withSession(playlist, key)];
  const [first = Buffer.alloc(0)] = pieces;
  const body = pieces.length === 1 ? first : Buffer.concat(pieces);
  response.writeHead(200, {
    'Content-Type': 'application/vnd.apple.mpegurl',
    'Content-Length': body.length,
    'Cache-Control': caching,
    Vary: 'Accept-Encoding',
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(message.method === 'HEAD' ? Buffer.alloc(0) : body);
}

/** Lines that are no tag and no comment are URIs, RFC 8216 §4.1; tags have theirs in an attribute. */
function withSession(playlist: SharedText, key: string): Buffer {
  const parameter = `?${SESSION_PARAMETER}=${key}`;
  const text = playlist
    .toString()
    .replace(/^(?!#).+$|(?<=[:,]URI=")[^"]+\/hls\/[^"]+/gm, (uri) => `${uri}${parameter}`);
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
