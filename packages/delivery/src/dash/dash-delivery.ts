import {
  type Clock,
  type Doorkeeper,
  type EventBus,
  type Logger,
  type OutputKind,
  Refusal,
  type RenditionDirectory,
  type StreamPath,
  type StreamRouter,
  tryParseStreamPath,
} from '@sluice/core';
import { audienceOf, changing, unchanging } from '../http/caching.js';
import { type MediaRequest, playRequestOf } from '../http/media-request.js';
import type { MediaResponse } from '../http/media-response.js';
import { sendError, sendRefusal } from '../http/responses.js';
import { Departure } from '../segments/departure.js';
import { forFirstViewer } from '../segments/first-viewer.js';
import { type KnownViewer, SESSION_PARAMETER, ViewerSessions } from '../segments/viewer-sessions.js';
import { DashLadder } from './dash-ladder.js';
import { DashOutput } from './dash-output.js';
import type { GrowingSegment } from './growing-segment.js';
import type { ListedRendition } from './mpd.js';

/** How long a first viewer waits for the first segment. */
const FIRST_SEGMENT_PATIENCE_MS = 10_000;
/** Who asks for a segment ahead of its time waits for so many segments. */
const PATIENCE_SEGMENTS = 3;
/** An ended stream's segments stay for the viewers that are still behind. */
const LINGER_FACTOR = 2;

export interface DashDeliveryOptions {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly renditions: RenditionDirectory;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Serves DASH: MPDs and segments of live streams, and of those that have just ended; segments while they are made. */
export class DashDelivery {
  readonly #router: StreamRouter;
  readonly #clock: Clock;
  readonly #sessions: ViewerSessions;
  readonly #kind: OutputKind<DashOutput>;
  readonly #renditions: RenditionDirectory;
  readonly #ladders = new WeakMap<DashOutput, DashLadder>();
  readonly #ended = new Map<StreamPath, DashOutput>();
  readonly #stopListening: () => void;

  constructor(options: DashDeliveryOptions) {
    const { gate, router, renditions, events, clock, log } = options;
    this.#renditions = renditions;
    this.#router = router;
    this.#clock = clock;
    const sessions = new ViewerSessions({ gate, clock });
    this.#sessions = sessions;
    this.#kind = {
      name: 'dash',
      create: (source) => {
        const lead = new DashOutput({
          source,
          clock,
          viewers: (path) => sessions.countOf(path),
          renditions: () => this.#listed(source.path),
          log,
          onEnd: (output) => this.#linger(output, source.ended),
        });
        this.#ladders.set(lead, new DashLadder({ lead, router, renditions, clock }));
        return lead;
      },
    };
    this.#stopListening = events.on('stream-started', ({ path }) => {
      this.#ended.delete(path);
      const stream = router.find(path);
      const parent = parentOf(path);
      const lead = parent && router.find(parent)?.running(this.#kind);
      if (stream !== undefined && lead?.renditions.some((rendition) => rendition.path === path)) {
        this.#ladders.get(lead)?.follow(stream);
      }
    });
  }

  /** `/{path}.mpd` */
  async serveMpd(request: MediaRequest, response: MediaResponse, path: string): Promise<void> {
    await answer(response, async (departure) => {
      const viewer = await this.#enter(request, path);
      const output = await this.#outputFor(viewer, departure);
      const mpd = await output.mpd(output.segmentSeconds * 1000 + FIRST_SEGMENT_PATIENCE_MS, departure);
      if (departure.hasLeft) return;
      if (mpd === undefined) throw new Refusal('not-live', `${output.path} has no segment yet`);
      this.#ladders.get(output)?.followAll();
      const { key } = viewer;
      const body = Buffer.from(key === undefined ? mpd : withSession(mpd, key));
      response.writeHead(200, {
        'Content-Type': 'application/dash+xml',
        'Content-Length': body.length,
        'Cache-Control': changing(audienceOf(key, output.access), output.segmentSeconds / 2),
      });
      response.end(request.message.method === 'HEAD' ? undefined : body);
    });
  }

  /** `/{path}/dash/{name}` */
  async serveResource(request: MediaRequest, response: MediaResponse, text: string, name: string): Promise<void> {
    await answer(response, async (departure) => {
      const path = tryParseStreamPath(text);
      const lead = path && this.#leadOf(path, name);
      const output = lead ?? (path && this.#find(path));
      // Who watches the MPD watches its renditions, in one session.
      const viewer = output && (await this.#enter(request, output.path));
      const patience = (output?.segmentSeconds ?? 0) * PATIENCE_SEGMENTS * 1000;
      const asked = lead?.read(name);
      const resource =
        path && lead && asked
          ? await this.#ladders.get(lead)?.resource(path, asked, patience, departure)
          : await output?.resource(name, patience, departure);
      if (departure.hasLeft) return;
      if (resource === undefined || viewer === undefined || output === undefined) {
        sendError(response, 404, 'no-segment', 'there is no such segment, or not any more');
        return;
      }
      const isComplete = resource.kind === 'init' || resource.body.isComplete;
      const length = resource.kind === 'init' ? resource.bytes.length : resource.body.length;
      response.writeHead(200, {
        'Content-Type': 'video/mp4',
        ...(isComplete ? { 'Content-Length': length } : {}),
        'Cache-Control': unchanging(audienceOf(viewer.key, output.access)),
      });
      if (request.message.method === 'HEAD') response.end();
      else if (resource.kind === 'segment') this.#send(resource.body, response, viewer);
      else {
        this.#sessions.sent(viewer, length);
        response.end(resource.bytes);
      }
    });
  }

  /** `/time`: what clients set their clocks by, `urn:mpeg:dash:utc:http-iso:2014`. */
  serveTime({ message }: MediaRequest, response: MediaResponse): void {
    const body = new Date(this.#clock.wall()).toISOString();
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
    });
    response.end(message.method === 'HEAD' ? undefined : body);
  }

  /** Ends all DASH sessions. */
  close(reason: string): void {
    this.#stopListening();
    this.#sessions.close(reason);
    this.#ended.clear();
  }

  /** Sends what there is of a segment, and the rest as it is made. */
  #send(body: GrowingSegment, response: MediaResponse, viewer: KnownViewer): void {
    let sent = 0;
    const more = () => {
      for (const chunk of body.chunks.slice(sent)) {
        sent += 1;
        this.#sessions.sent(viewer, chunk.length);
        response.write(chunk);
      }
      if (body.isComplete) response.end();
    };
    const stop = body.follow(more);
    response.once('close', stop);
    more();
  }

  #enter(request: MediaRequest, path: string): Promise<KnownViewer> {
    const asked = playRequestOf(request, 'dash', path);
    return this.#sessions.enter(asked, request.query.get(SESSION_PARAMETER) ?? undefined);
  }

  /** @throws {Refusal} `not-live`; who watches nothing is no viewer */
  async #outputFor(viewer: KnownViewer, departure: Departure): Promise<DashOutput> {
    const { path } = viewer.session;
    const output = this.#find(path);
    if (output !== undefined) return output;
    const first = { viewer, departure, router: this.#router, sessions: this.#sessions };
    return forFirstViewer(first, this.#router.canFetch(path), (stream) => {
      if (!stream.settings.dash.enabled) throw new Refusal('not-live', `${path} is not given over DASH`);
      return stream.output(this.#kind);
    });
  }

  /** The output whose MPD lists this as a rendition's. */
  #leadOf(path: StreamPath, name: string): DashOutput | undefined {
    const parent = parentOf(path);
    const lead = parent && (this.#router.find(parent)?.running(this.#kind) ?? this.#ended.get(parent));
    return lead?.read(name) === undefined ? undefined : lead;
  }

  /** Those with a picture that can be made, as they are before they are. */
  #listed(path: StreamPath): ListedRendition[] {
    return this.#renditions.renditionsOf(path).flatMap((rendition): ListedRendition[] => {
      const { name, path, width, height, video, state } = rendition;
      if (video === undefined || state === 'refused' || state === 'failed') return [];
      return [{ name, path, ...video, width, height }];
    });
  }

  #find(path: StreamPath): DashOutput | undefined {
    const stream = this.#router.find(path);
    if (stream === undefined) return this.#ended.get(path);
    return stream.settings.dash.enabled ? stream.output(this.#kind) : undefined;
  }

  #linger(output: DashOutput, streamEnded: boolean): void {
    const { path } = output;
    // Whoever comes after the last viewer of a stream from elsewhere is to have it fetched again, and not its past end.
    if (!streamEnded || (output.viewers === 0 && this.#router.canFetch(path))) return;
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

/** What a rendition under this path would be of. */
function parentOf(path: StreamPath): StreamPath | undefined {
  return tryParseStreamPath(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
}

/** Answers a request with what may have to be waited for, as long as its viewer does. */
async function answer(response: MediaResponse, respond: (departure: Departure) => Promise<void>): Promise<void> {
  try {
    await respond(new Departure(response));
  } catch (error) {
    sendRefusal(response, error);
  }
}

/** Who was let in with a credential shows in the segments' URLs, too, that they were. */
function withSession(mpd: string, key: string): string {
  return mpd.replace(/(?<= (?:initialization|media)=")[^"]+/g, (url) => `${url}?${SESSION_PARAMETER}=${key}`);
}
