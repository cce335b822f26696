import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Clock, Logger, Output, OutputSource, PathSettings, StreamDescription, StreamPath } from '@sluice/core';
import { type Millis, microsFromSeconds, type Sample } from '@sluice/media';
import { primaryTracks } from '../tags/selection.js';
import { CmafPackager } from './cmaf-packager.js';
import { CutPolicy } from './cut-policy.js';
import type { DiskTrouble, SegmentDisk, SegmentFolder } from './disk/segment-disk.js';
import { PartTarget } from './part-target.js';
import { BLOCK, renderDelta, renderPlaylist, SegmentBlocks } from './playlist.js';
import { PlaylistWaiters } from './playlist-waiters.js';
import { ResourceNames } from './resource-names.js';
import type { Packager, PackagerEvents, Segment } from './segment.js';
import { type Position, SegmentWindow } from './segment-window.js';
import type { SharedText } from './shared-text.js';
import { TsPackager } from './ts-packager.js';

/** A segment, a part or an init segment: in memory, or in a file that whoever asked has to close. */
export type HlsResource = { readonly type: 'video/mp2t' | 'video/mp4' } & (
  | { readonly bytes: Buffer }
  | { readonly file: FileHandle; readonly size: number }
);

/** The window isn't what it should be, or is again. */
export type WindowNews =
  | { readonly kind: 'shrunk'; readonly trouble: DiskTrouble; readonly detail: string }
  | { readonly kind: 'resumed' };

/** What a client asks of a playlist, RFC 8216bis §6.2.5. */
export interface PlaylistQuestion {
  /** Not before it has this. */
  readonly position?: Position | undefined;
  /** Whether an update will do. */
  readonly delta?: boolean;
}

export interface HlsOutputOptions {
  readonly source: OutputSource;
  readonly clock: Clock;
  /** How many watch a path. */
  readonly viewers: (path: StreamPath) => number;
  /** Where segments go that leave memory. */
  readonly disk: SegmentDisk;
  readonly log: Logger;
  /** Told of each change once. */
  readonly onWindow: (output: HlsOutput, news: WindowNews) => void;
  /** A segment has been added. @param url of the segment, relative to its playlist */
  readonly onSegment: (output: HlsOutput, segment: Segment, url: string) => void;
  /** The stream is over; the segments stay good for those who haven't seen them yet. */
  readonly onEnd: (output: HlsOutput) => void;
}

/** RFC 8216bis §6.2.5.2: who asks for what is further ahead, asks for what nobody can know. */
const SEGMENTS_AHEAD = 2;
/** A disk that comes and goes is told of once: it has come back when nothing was lost for this long. */
const QUIET_MS = 30_000;
const QUIET_TARGETS = 4;

/** One stream's HLS: a window of segments, the newest in memory and older ones on disk, and the playlist over it. */
export class HlsOutput implements Output {
  readonly path: OutputSource['path'];
  readonly #source: OutputSource;
  readonly #clock: Clock;
  readonly #options: HlsOutputOptions;
  readonly #window: SegmentWindow;
  readonly #cuts: CutPolicy;
  readonly #partTarget: PartTarget | undefined;
  readonly #waiters: PlaylistWaiters;
  readonly #names: ResourceNames;
  #packager: Packager | undefined;
  readonly #folder: SegmentFolder | undefined;
  readonly #blocks = new SegmentBlocks();
  #trouble: DiskTrouble | undefined;
  /** When the window last lost a segment to the disk. */
  #lastLost = Number.NEGATIVE_INFINITY;
  #full: SharedText | undefined;
  #delta: SharedText | undefined;
  #lastUsed: Millis;
  #ended = false;

  constructor(options: HlsOutputOptions) {
    const { source, clock } = options;
    const { segmentSeconds, segments, lowLatency, partSeconds, windowSeconds } = source.settings.hls;
    this.path = source.path;
    this.#source = source;
    this.#clock = clock;
    this.#options = options;
    const target = microsFromSeconds(segmentSeconds);
    const now = () => clock.monotonic();
    this.#cuts = new CutPolicy(target);
    this.#partTarget = lowLatency ? new PartTarget(microsFromSeconds(partSeconds)) : undefined;
    this.#folder = windowSeconds === 0 ? undefined : this.#makeFolder();
    const onDisk = this.#folder && { folder: this.#folder, duration: microsFromSeconds(windowSeconds) };
    this.#window = new SegmentWindow({ listed: segments, target, onDisk, now });
    this.#waiters = new PlaylistWaiters(now);
    // Unique over restarts of the server and of the stream, so that caches may keep what they get.
    this.#names = new ResourceNames(source.path, randomBytes(4).toString('hex'));
    this.#lastUsed = clock.monotonic();
  }

  get viewers(): number {
    return this.#options.viewers(this.path);
  }

  get idleSince(): Millis | undefined {
    return this.isAlwaysOn || this.viewers > 0 ? undefined : this.#lastUsed;
  }

  /** Whether it runs without viewers. */
  get isAlwaysOn(): boolean {
    return startsWithStream(this.#source.settings);
  }

  /** How long its listed segments take to play. */
  get windowSeconds(): number {
    return this.#window.seconds;
  }

  /** Segments whose bytes are in memory. */
  get segmentsInMemory(): number {
    return this.#window.held;
  }

  get targetSeconds(): number {
    return this.#window.targetSeconds;
  }

  configure(description: StreamDescription): void {
    const tracks = primaryTracks(description);
    // A stream stays with the format that it began with: its segments are of one kind.
    this.#packager ??= this.#makePackager(tracks.some(({ codec }) => codec === 'mp3'));
    this.#packager.configure(tracks);
  }

  sample(sample: Sample): void {
    this.#packager?.sample(sample);
  }

  discontinuity(): void {
    this.#packager?.discontinuity();
  }

  end(): void {
    if (this.#ended) return;
    this.#packager?.flush();
    this.#ended = true;
    this.#changed();
    this.#waiters.close();
    this.#options.onEnd(this);
  }

  sweep(): void {
    this.#waiters.sweep();
  }

  /** Whether a question is about what nobody can know yet. */
  isTooFar({ segment }: Position): boolean {
    return segment > this.#window.end.segment + SEGMENTS_AHEAD;
  }

  /**
   * The playlist, as soon as it has what is asked for, and a segment to list.
   *
   * @returns undefined where none came in time
   */
  async playlist(
    { position, delta = false }: PlaylistQuestion,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<SharedText | undefined> {
    this.#lastUsed = this.#clock.monotonic();
    const wanted = position ?? { segment: 0, part: Number.POSITIVE_INFINITY };
    if (!this.#has(wanted)) await this.#waiters.wait(wanted, timeoutMs, signal);
    if (this.#window.isEmpty) return undefined;
    if (delta) {
      this.#delta ??= renderDelta(this.#content());
      return this.#delta;
    }
    this.#full ??= renderPlaylist(this.#content());
    return this.#full;
  }

  /**
   * What a playlist names, as soon as it is there; what a playlist only hints at is waited for.
   *
   * @param name as the playlist gave it
   */
  async resource(name: string, timeoutMs: number, signal: AbortSignal): Promise<HlsResource | undefined> {
    this.#lastUsed = this.#clock.monotonic();
    const asked = this.#names.read(name);
    if (asked === undefined) return undefined;
    const type = asked.extension === 'ts' ? 'video/mp2t' : 'video/mp4';
    if (asked.kind === 'part' && this.#isNext(asked)) await this.#waiters.wait(asked, timeoutMs, signal);
    const bytes = asked.kind === 'init' ? this.#window.init(asked.init) : this.#bytesOf(asked.segment, asked.part);
    if (bytes !== undefined) return { bytes, type };
    return asked.kind === 'segment' ? this.#onDisk(asked.segment, type) : undefined;
  }

  /** Its segments are not to be had any more. */
  close(): void {
    this.#folder?.close();
  }

  async #onDisk(number: number, type: HlsResource['type']): Promise<HlsResource | undefined> {
    const size = this.#folder?.sizeOf(number);
    const file = await this.#folder?.open(number);
    return file === undefined || size === undefined ? undefined : { file, size, type };
  }

  #makeFolder(): SegmentFolder {
    return this.#options.disk.folder({
      stored: (number) => {
        this.#window.stored(number);
        const quiet = Math.max(QUIET_MS, QUIET_TARGETS * this.targetSeconds * 1000);
        if (this.#trouble === undefined || this.#clock.monotonic() - this.#lastLost < quiet) return;
        this.#trouble = undefined;
        this.#options.onWindow(this, { kind: 'resumed' });
      },
      lost: (number, trouble, detail) => {
        if (!this.#window.lost(number)) return;
        this.#changed();
        this.#lastLost = this.#clock.monotonic();
        if (this.#trouble !== undefined) return;
        this.#trouble = trouble;
        this.#options.onWindow(this, { kind: 'shrunk', trouble, detail });
      },
    });
  }

  #bytesOf(number: number, part: number | undefined): Buffer | undefined {
    const segment = this.#window.find(number);
    if (segment === undefined) return undefined;
    if (part !== undefined) return segment.parts[part]?.bytes;
    return 'bytes' in segment ? (segment as Segment).bytes : undefined;
  }

  #isNext({ segment, part }: Position): boolean {
    const { end } = this.#window;
    return !this.#ended && end.segment === segment && end.part === part;
  }

  /** Without a position, one segment is enough. */
  #has(position: Position): boolean {
    return this.#ended || (this.#window.has(position) && !this.#window.isEmpty);
  }

  #makePackager(hasMp3: boolean): Packager {
    const { container } = this.#source.settings.hls;
    const wallTimeOf = this.#source.wallTimeOf.bind(this.#source);
    const isTs = container === 'mpegts' || (container === 'auto' && hasMp3);
    const events = this.#packagerEvents(isTs ? 'MPEG-TS' : 'MP4');
    this.#names.extension = isTs ? 'ts' : 'm4s';
    if (isTs) return new TsPackager({ cuts: this.#cuts, wallTimeOf, events });
    return new CmafPackager({ cuts: this.#cuts, partTarget: this.#partTarget, wallTimeOf, events });
  }

  #packagerEvents(format: string): PackagerEvents {
    return {
      init: (number, bytes) => this.#window.addInit(number, bytes),
      part: (segment) => {
        this.#window.setOpen(segment);
        this.#changed();
      },
      segment: (segment) => {
        this.#window.add(segment);
        this.#cuts.promise(this.#window.targetSeconds);
        this.#changed();
        if (this.#folder !== undefined) this.#keepLinesOf(segment);
        this.#options.onSegment(this, segment, this.#names.segment(segment.number));
      },
      unsupported: ({ codec }) =>
        this.#options.log.warn({ path: this.path, codec }, `HLS with ${format} segments can't carry ${codec}`),
    };
  }

  #content() {
    const { listed, open, targetSeconds, discontinuities, isIndependent, removed } = this.#window;
    const { playlistType, windowSeconds } = this.#source.settings.hls;
    const hasParts = listed.at(-1)?.init !== undefined;
    this.#blocks.forgetBefore(listed[0]?.number ?? 0);
    return {
      segments: listed,
      open,
      targetSeconds,
      partTarget: hasParts ? this.#partTarget?.target : undefined,
      discontinuitySequence: discontinuities,
      independent: isIndependent,
      ended: this.#ended,
      isEvent: playlistType === 'event' && windowSeconds > 0 && removed === 0,
      urls: this.#names,
      blocks: this.#blocks,
    };
  }

  /** Now and then, so that the first who asks doesn't pay for the lines of a whole day. */
  #keepLinesOf({ number }: Segment): void {
    if (number % BLOCK !== 0 || this.#window.isEmpty) return;
    this.#full = renderPlaylist(this.#content());
    this.#full.zip();
  }

  /** Something is new: playlists are made anew, once for all who ask, and who waits for it gets it. */
  #changed(): void {
    this.#full = undefined;
    this.#delta = undefined;
    this.#waiters.advance((position) => this.#has(position));
  }
}

/** Whether a path's streams are segmented from their first frame on. */
export function startsWithStream({ hls }: Pick<PathSettings, 'hls'>): boolean {
  return hls.always || hls.windowSeconds > 0;
}
