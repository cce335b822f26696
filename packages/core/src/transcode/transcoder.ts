import type { Gate } from '../access/gate.js';
import type { Session } from '../access/session.js';
import type { LiveConfig } from '../config/live-config.js';
import { renditionOf, settingsFor } from '../config/load.js';
import type { RenditionSettings, TranscodePathSettings } from '../config/transcode-schema.js';
import { Refusal } from '../errors.js';
import type { EventBus } from '../events.js';
import type { Logger } from '../logger.js';
import type { StreamPath } from '../stream-path.js';
import type { StreamRouter } from '../streams/router.js';
import { CpuBudget, usualBudget } from './cpu-budget.js';
import { declaredCodec } from './declared-codec.js';
import type { FfmpegProgram } from './ffmpeg-process.js';
import { Ladder, type LadderFigures } from './ladder.js';
import { NO_FFMPEG } from './no-ffmpeg.js';
import type { Rendition, RenditionState } from './rendition.js';
import { renditionSize, type SourcePicture } from './rendition-cost.js';

export interface TranscoderOptions {
  readonly live: LiveConfig;
  readonly events: EventBus;
  readonly gate: Pick<Gate, 'admit'>;
  readonly router: StreamRouter;
  /** Undefined where there is none: that is said when a rendition is asked for. */
  readonly program: FfmpegProgram | undefined;
  /** Of this machine. */
  readonly cores: number;
  readonly log: Logger;
}

/** A version of a stream, as those see it who list it for players. */
export interface RenditionInfo {
  readonly name: string;
  readonly path: StreamPath;
  /** Undefined where it has no picture, or its source is not known yet. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** The most that it takes, in bit/s. */
  readonly bandwidth: number;
  /** RFC 6381, with commas between; undefined before it is live. */
  readonly codecs: string | undefined;
  /** Its picture alone; undefined where it has none, or its source is not known yet. */
  readonly video: DeclaredVideo | undefined;
  readonly state: RenditionState;
  /** Why it is not made, where it is not. */
  readonly reason: string | undefined;
}

/** The picture of a rendition as it can be told before there is any of it. */
export interface DeclaredVideo {
  /** RFC 6381: the most that it needs. It stays as it is when the rendition is live. */
  readonly codec: string;
  /** The most that it takes, in bit/s. */
  readonly bandwidth: number;
}

/** Knows the renditions of a stream. */
export interface RenditionDirectory {
  /** Of a stream that is live, in the order of the configuration; none for other paths. */
  renditionsOf(path: StreamPath): readonly RenditionInfo[];
  /**
   * Somebody watches a rendition who has no session of its path: it is made from now on, and no less than 30 s. Does
   * nothing for other paths.
   */
  want(path: StreamPath): void;
}

/** All of it, for the API. */
export interface TranscoderStatus {
  /** ffmpeg's file; undefined where there is none. */
  readonly ffmpeg: string | undefined;
  /** Cores. */
  readonly cpuBudget: number;
  readonly cpuReserved: number;
  readonly ladders: readonly (LadderFigures & {
    readonly path: StreamPath;
    readonly mode: TranscodePathSettings['mode'];
    readonly renditions: readonly RenditionInfo[];
  })[];
}

/** How long renditions are made on when nobody watches them any more. */
const LINGER_MS = 30_000;
/** Containers add to what encoders give. */
const OVERHEAD = 1.1;

interface Entry {
  readonly ladder: Ladder;
  stopTimer: NodeJS.Timeout | undefined;
}

/** Makes the renditions that the configuration names: from their first viewer on, or as long as their source is live. */
export class Transcoder implements RenditionDirectory {
  readonly #options: TranscoderOptions;
  readonly #budget: CpuBudget;
  readonly #entries = new Map<StreamPath, Entry>();
  /** Sessions that watch a rendition, by its source. */
  readonly #viewers = new Map<StreamPath, Set<string>>();
  readonly #stopListening: readonly (() => void)[];
  readonly #told = new Set<StreamPath>();
  #closed = false;

  constructor(options: TranscoderOptions) {
    this.#options = options;
    const { live, events, cores } = options;
    this.#budget = new CpuBudget(() => live.current.transcode.cpuBudget ?? usualBudget(cores));
    this.#stopListening = [
      live.onChange(() => this.#follow()),
      events.on('stream-started', ({ path }) => this.#open(path)),
      events.on('stream-resumed', ({ path }) => this.#resume(path)),
      events.on('stream-ended', ({ path }) => this.#close(path, 'the source has ended')),
      events.on('session-opened', ({ session }) => this.#arrived(session)),
      events.on('session-closed', ({ session }) => this.#left(session)),
    ];
  }

  /** Why there is no hope of a rendition; undefined for what may come, and for what is no rendition. */
  refusalFor(path: StreamPath): Refusal | undefined {
    const { live, program, router } = this.#options;
    const of = renditionOf(live.current, path);
    if (of === undefined || router.find(of.source) === undefined || this.#isElsewhere(of.source)) return undefined;
    const refusal = (reason: string) => new Refusal('unavailable', `${path} can't be made: ${reason}`);
    if (program === undefined) return refusal(NO_FFMPEG);
    const rendition = this.#entries.get(of.source)?.ladder.renditions.find(({ name }) => name === of.name);
    if (rendition?.state !== 'refused' && rendition?.state !== 'failed') return undefined;
    return refusal(rendition.reason ?? rendition.state);
  }

  renditionsOf(path: StreamPath): readonly RenditionInfo[] {
    const ladder = this.#entries.get(path)?.ladder;
    return ladder?.renditions.map((rendition) => this.#infoOf(ladder, rendition)) ?? [];
  }

  want(path: StreamPath): void {
    const source = renditionOf(this.#options.live.current, path)?.source;
    const entry = source === undefined ? undefined : this.#entries.get(source);
    if (source === undefined || entry === undefined) return;
    entry.ladder.start();
    if (!this.#viewers.has(source)) this.#stopLater(entry);
  }

  get status(): TranscoderStatus {
    const { program } = this.#options;
    return {
      ffmpeg: program?.file,
      cpuBudget: this.#budget.limit,
      cpuReserved: this.#budget.taken,
      ladders: [...this.#entries].map(([path, { ladder }]) => ({
        ...ladder.figures,
        path,
        mode: ladder.settings.mode,
        renditions: this.renditionsOf(path),
      })),
    };
  }

  close(reason: string): void {
    this.#closed = true;
    for (const stop of this.#stopListening) stop();
    for (const path of [...this.#entries.keys()]) this.#close(path, reason);
  }

  #infoOf({ picture }: Ladder, { name, path, settings, state, reason }: Rendition): RenditionInfo {
    const tracks = this.#options.router.find(path)?.description.tracks ?? [];
    const made = tracks.find((track) => track.kind === 'video');
    const hasPicture = settings.codec !== 'none' && picture !== undefined;
    const declared = hasPicture ? declaredVideo(settings, picture) : undefined;
    const size = made ?? (hasPicture ? renditionSize(picture, settings.height ?? picture.height) : undefined);
    const video = settings.codec === 'none' ? 0 : (settings.videoBitrate ?? 0);
    const audio = settings.audio === 'none' ? 0 : settings.audioBitrate;
    return {
      ...{ name, path, state, reason },
      width: size?.width,
      height: size?.height,
      bandwidth: Math.round((video + audio) * 1000 * OVERHEAD),
      codecs: tracks.length === 0 ? undefined : tracks.map(({ codecString }) => codecString).join(','),
      video: declared,
    };
  }

  #open(path: StreamPath): void {
    const { live, router, program, log } = this.#options;
    const source = router.find(path);
    const settings = settingsFor(live.current, path).transcode;
    if (
      this.#closed ||
      source === undefined ||
      this.#isElsewhere(path) ||
      Object.keys(settings.renditions).length === 0
    )
      return;
    if (program === undefined) {
      if (settings.mode === 'always' || this.#viewers.has(path)) this.#tellNoFfmpeg(path);
      return;
    }
    const ladder = new Ladder({
      ...{ source, settings, program, router, log },
      gate: this.#options.gate,
      budget: this.#budget,
      limits: () => live.current.transcode,
      onRoom: () => this.#room(ladder),
    });
    this.#entries.set(path, { ladder, stopTimer: undefined });
    if (settings.mode === 'always' || this.#viewers.has(path)) ladder.start();
  }

  /** The encoder may be another node's now, or this one's again. */
  #resume(path: StreamPath): void {
    if (this.#isElsewhere(path)) this.#close(path, 'another node has the source');
    else if (!this.#entries.has(path)) this.#open(path);
  }

  /** Renditions of another node's stream are that node's. */
  #isElsewhere(path: StreamPath): boolean {
    return this.#options.router.publisherOf(path)?.node !== undefined;
  }

  #close(path: StreamPath, reason: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    clearTimeout(entry.stopTimer);
    this.#entries.delete(path);
    entry.ladder.stop(reason);
  }

  /** The configuration has changed: ladders that it describes otherwise are begun anew. */
  #follow(): void {
    const { live, router } = this.#options;
    for (const { path } of router.streams()) {
      const now = settingsFor(live.current, path).transcode;
      const before = this.#entries.get(path)?.ladder.settings;
      if (JSON.stringify(before?.renditions ?? {}) === JSON.stringify(now.renditions) && before?.mode === now.mode)
        continue;
      this.#close(path, 'the configuration has changed');
      this.#open(path);
    }
    this.#room(undefined);
  }

  #room(from: Ladder | undefined): void {
    if (this.#closed) return;
    for (const { ladder } of this.#entries.values()) if (ladder !== from) ladder.retryRefused();
  }

  #arrived({ id, action, protocol, path }: Session): void {
    const watches = action === 'play' && protocol !== 'snapshot' && protocol !== 'recording';
    const source = watches ? renditionOf(this.#options.live.current, path)?.source : undefined;
    if (source === undefined) return;
    const viewers = this.#viewers.get(source) ?? new Set();
    this.#viewers.set(source, viewers.add(id));
    const entry = this.#entries.get(source);
    if (this.#options.program === undefined) this.#tellNoFfmpeg(source);
    if (entry === undefined) return;
    clearTimeout(entry.stopTimer);
    entry.stopTimer = undefined;
    entry.ladder.start();
  }

  #left({ id, action, path }: Session): void {
    if (action !== 'play') return;
    const source = path.slice(0, path.lastIndexOf('/')) as StreamPath;
    const viewers = this.#viewers.get(source);
    if (viewers === undefined || !viewers.delete(id) || viewers.size > 0) return;
    this.#viewers.delete(source);
    const entry = this.#entries.get(source);
    if (entry !== undefined) this.#stopLater(entry);
  }

  #stopLater(entry: Entry): void {
    clearTimeout(entry.stopTimer);
    if (entry.ladder.settings.mode === 'always') return;
    entry.stopTimer = setTimeout(() => entry.ladder.stop('nobody watches'), LINGER_MS);
    entry.stopTimer.unref();
  }

  #tellNoFfmpeg(path: StreamPath): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    this.#options.log.warn({ path, reason: NO_FFMPEG }, 'renditions can not be made');
  }
}

function declaredVideo(settings: RenditionSettings, picture: SourcePicture): DeclaredVideo | undefined {
  const size = renditionSize(picture, settings.height ?? picture.height);
  const codec = declaredCodec(settings, size, Math.min(picture.rate, settings.frameRate ?? picture.rate));
  if (codec === undefined) return undefined;
  return { codec, bandwidth: Math.round((settings.videoBitrate ?? 0) * 1000 * OVERHEAD) };
}
