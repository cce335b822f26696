import type { FileHandle } from 'node:fs/promises';
import type { Clock, Logger, Output, OutputSource, PathSettings, StreamDescription, StreamPath } from '@sluice/core';
import { type Micros, type Millis, microsFromSeconds, millis, type Sample, type TimedMetadata } from '@sluice/media';
import { CutPolicy } from '../segments/cut-policy.js';
import type { Departure } from '../segments/departure.js';
import { Waiters } from '../segments/waiters.js';
import { primaryTracks } from '../tags/selection.js';
import { CaptionWatch } from './caption-watch.js';
import { CmafPackager } from './cmaf-packager.js';
import type { DiskTrouble, SegmentDisk, SegmentFolder } from './disk/segment-disk.js';
import { PartTarget } from './part-target.js';
import { BLOCK, type RenditionReport, renderDelta, renderPlaylist, SegmentBlocks } from './playlist.js';
import { ResourceNames } from './resource-names.js';
import type { Packager, PackagerEvents, Segment } from './segment.js';
import { SegmentKeys } from './segment-keys.js';
import { type Position, SegmentWindow } from './segment-window.js';
import type { SharedText } from './shared-text.js';
import { SpliceCues } from './splice-cues.js';
import { TsPackager } from './ts-packager.js';

/** A segment, a part, an init segment or a key: in memory, or in a file that whoever asked has to close. */
export type HlsResource = {
  readonly type: 'video/mp2t' | 'video/mp4' | 'application/octet-stream';
  /** Nobody may keep it. */
  readonly isKey: boolean;
} & ({ readonly bytes: Buffer } | { readonly file: FileHandle; readonly size: number });

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
  /** Bytes that nobody can guess. */
  readonly random: (size: number) => Buffer;
  /** How far the stream's other versions are. */
  readonly reports: (output: HlsOutput) => readonly RenditionReport[];
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
  readonly #keys: SegmentKeys | undefined;
  readonly #playlistWaiters: Waiters<Position>;
  readonly #partWaiters: Waiters<Position>;
  readonly #names: ResourceNames;
  #packager: Packager | undefined;
  readonly #folder: SegmentFolder | undefined;
  readonly #blocks = new SegmentBlocks();
  readonly #cues = new SpliceCues();
  readonly #captions = new CaptionWatch();
  #trouble: DiskTrouble | undefined;
  /** When the window last lost a segment to the disk. */
  #lastLost = Number.NEGATIVE_INFINITY;
  #full: SharedText | undefined;
  #delta: SharedText | undefined;
  #lastUsed: Millis;
  #ended = false;

  constructor(options: HlsOutputOptions) {
    const { source, clock } = options;
    const { segmentSeconds, segments, lowLatency, partSeconds, windowSeconds, encryption } = source.settings.hls;
    this.path = source.path;
    this.#source = source;
    this.#clock = clock;
    this.#options = options;
    const target = microsFromSeconds(segmentSeconds);
    const now = () => clock.monotonic();
    this.#cuts = new CutPolicy(target);
    // AES-128 is for whole segments.
    const hasParts = lowLatency && encryption !== 'aes-128';
    this.#partTarget = hasParts ? new PartTarget(microsFromSeconds(partSeconds)) : undefined;
    this.#folder = windowSeconds === 0 ? undefined : this.#makeFolder();
    const onDisk = this.#folder && { folder: this.#folder, duration: microsFromSeconds(windowSeconds) };
    this.#window = new SegmentWindow({ listed: segments, target, onDisk, now });
    this.#playlistWaiters = new Waiters(now);
    this.#partWaiters = new Waiters(now);
    // Unique over restarts of the server and of the stream, so that caches may keep what they get.
    this.#names = new ResourceNames(source.path, options.random(4).toString('hex'));
    this.#keys = encryption === 'none' ? undefined : this.#makeKeys(encryption);
    this.#lastUsed = clock.monotonic();
  }

  get viewers(): number {
    return this.#options.viewers(this.path);
  }

  get idleSince(): Millis | undefined {
    return this.isAlwaysOn || this.viewers > 0 ? undefined : this.#lastUsed;
  }

  unwatchedSince(): Millis | undefined {
    return this.viewers > 0 ? undefined : this.#lastUsed;
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

  /** Whether decoding can begin with each of its listed segments. */
  get isIndependent(): boolean {
    return this.#window.isIndependent;
  }

  /** Its captions by their `INSTREAM-ID`; undefined where it isn't known whether it has any. */
  get captions(): readonly string[] | undefined {
    return this.#captions.services;
  }

  /** The most that a segment in memory takes, in bit/s. */
  get peakBitrate(): number {
    return this.#window.peakBitrate;
  }

  /** Its end, for the playlists of other versions. @param uri of this one's, relative to theirs */
  report(uri: string): RenditionReport | undefined {
    const { open, listed } = this.#window;
    const last = listed.at(-1);
    if (last === undefined) return undefined;
    if (open !== undefined && open.parts.length > 0) {
      return { uri, lastSegment: open.number, lastPart: open.parts.length - 1 };
    }
    return { uri, lastSegment: last.number, lastPart: last.parts.length > 0 ? last.parts.length - 1 : undefined };
  }

  get targetSeconds(): number {
    return this.#window.targetSeconds;
  }

  configure(description: StreamDescription): void {
    const tracks = primaryTracks(description);
    // A stream stays with the format that it began with: its segments are of one kind.
    this.#packager ??= this.#makePackager(tracks.some(({ codec }) => codec === 'mp3'));
    this.#packager.configure(tracks);
    this.#captions.configure(tracks);
  }

  sample(sample: Sample): void {
    this.#captions.sample(sample);
    this.#packager?.sample(sample);
  }

  /** What comes before the first track is known is for nobody. */
  timedMetadata(metadata: TimedMetadata): void {
    const isCue = metadata.kind === 'scte35';
    if (isCue && this.#cues.add(metadata, this.#source.wallTimeOf(metadata.at))) this.#changed();
    this.#packager?.timedMetadata(metadata);
  }

  discontinuity(): void {
    this.#packager?.discontinuity();
  }

  end(): void {
    if (this.#ended) return;
    this.#packager?.flush();
    this.#ended = true;
    this.#changed();
    this.#partWaiters.close();
    this.#playlistWaiters.close();
    this.#options.onEnd(this);
  }

  sweep(): void {
    this.#partWaiters.sweep();
    this.#playlistWaiters.sweep();
  }

  /** Whether a playlist made now has a place, or never will. */
  covers(position: Position): boolean {
    return this.#has(position);
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
    departure: Departure,
  ): Promise<SharedText | undefined> {
    this.#lastUsed = this.#clock.monotonic();
    const wanted = position ?? { segment: 0, part: Number.POSITIVE_INFINITY };
    if (!this.#has(wanted)) await this.#playlistWaiters.wait(wanted, timeoutMs, departure);
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
  async resource(name: string, timeoutMs: number, departure: Departure): Promise<HlsResource | undefined> {
    this.#lastUsed = this.#clock.monotonic();
    const asked = this.#names.read(name);
    if (asked === undefined) return undefined;
    if (asked.kind === 'key') {
      const key = this.#keys?.bytes(asked.key);
      return key && { bytes: key, type: 'application/octet-stream', isKey: true };
    }
    const type = asked.extension === 'ts' ? 'video/mp2t' : 'video/mp4';
    if (asked.kind === 'part' && this.#isNext(asked)) await this.#partWaiters.wait(asked, timeoutMs, departure);
    const bytes = asked.kind === 'init' ? this.#window.init(asked.init) : this.#bytesOf(asked.segment, asked.part);
    if (bytes !== undefined) return { bytes, type, isKey: false };
    return asked.kind === 'segment' ? this.#onDisk(asked.segment, type) : undefined;
  }

  /** Its segments are not to be had any more. */
  close(): void {
    this.#folder?.close();
  }

  async #onDisk(number: number, type: HlsResource['type']): Promise<HlsResource | undefined> {
    const size = this.#folder?.sizeOf(number);
    const file = await this.#folder?.open(number);
    return file === undefined || size === undefined ? undefined : { file, size, type, isKey: false };
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
    const { container, encryption } = this.#source.settings.hls;
    const wallTimeOf = this.#source.wallTimeOf.bind(this.#source);
    const hasSampleKeys = encryption === 'sample-aes';
    const isTs = !hasSampleKeys && (container === 'mpegts' || (container === 'auto' && hasMp3));
    const format = isTs ? 'MPEG-TS' : 'MP4';
    const events = this.#packagerEvents(hasSampleKeys ? 'encrypted MP4' : format);
    this.#names.extension = isTs ? 'ts' : 'm4s';
    const common = { cuts: this.#cuts, firstNumber: (dts: Micros) => this.#firstNumber(dts), wallTimeOf, events };
    if (isTs) return new TsPackager(common);
    const sampleKeys = hasSampleKeys ? this.#keys : undefined;
    return new CmafPackager({ ...common, partTarget: this.#partTarget, sampleKeys });
  }

  /** What is packed in several processes has about the same numbers in each, for players that come from one to another. */
  #firstNumber(dts: Micros): number {
    const { isFollowing, settings } = this.#source;
    return isFollowing ? Math.max(0, Math.floor(dts / microsFromSeconds(settings.hls.segmentSeconds))) : 0;
  }

  #makeKeys(encryption: 'aes-128' | 'sample-aes'): SegmentKeys {
    return new SegmentKeys({
      method: encryption === 'aes-128' ? 'AES-128' : 'SAMPLE-AES',
      rotateAfter: this.#source.settings.hls.keySegments,
      random: this.#options.random,
      isHeld: (segment) => this.#window.isKept(segment),
    });
  }

  #packagerEvents(format: string): PackagerEvents {
    return {
      init: (number, bytes) => this.#window.addInit(number, bytes),
      part: (segment) => {
        this.#window.setOpen(segment);
        this.#changed();
      },
      segment: (made) => {
        const segment = this.#keys?.method === 'AES-128' ? this.#keys.encrypt(made) : made;
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
      dateRanges: this.#cues.linesSince(listed[0]?.startedAt ?? millis(0)),
      reports: this.#options.reports(this),
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
    const has = (position: Position) => this.#has(position);
    // Media first: it is what a picture waits for.
    this.#partWaiters.advance(has);
    this.#playlistWaiters.advance(has);
  }
}

/** Whether a path's streams are segmented from their first frame on. */
export function startsWithStream({ hls }: Pick<PathSettings, 'hls'>): boolean {
  return hls.always || hls.windowSeconds > 0;
}
