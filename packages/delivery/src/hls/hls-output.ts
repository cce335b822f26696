import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Clock, Logger, Output, OutputSource, StreamDescription, StreamPath } from '@sluice/core';
import { type Micros, type Millis, micros, microsFromSeconds, type Sample } from '@sluice/media';
import { primaryTracks } from '../tags/selection.js';
import { renderPlaylist } from './playlist.js';
import { type Segment, Segmenter } from './segmenter.js';

/** A playlist as it stands, ready to be sent. */
export interface RenderedPlaylist {
  readonly text: Buffer;
  readonly gzip: Buffer;
}

export interface HlsOutputOptions {
  readonly source: OutputSource;
  readonly clock: Clock;
  /** How many watch a path. */
  readonly viewers: (path: StreamPath) => number;
  readonly log: Logger;
  /** A segment has been added. @param url of the segment, relative to its playlist */
  readonly onSegment: (output: HlsOutput, segment: Segment, url: string) => void;
  /** The stream is over; the segments stay good for those who haven't seen them yet. */
  readonly onEnd: (output: HlsOutput) => void;
}

/** RFC 8216 §6.2.2: a segment that left the playlist stays for its own length and that of the longest playlist. */
const retainedFor = (listed: number): number => listed + (listed + 1);

/** One stream's HLS: a window of segments in memory, and the playlist over it. */
export class HlsOutput implements Output {
  readonly path: OutputSource['path'];
  readonly #source: OutputSource;
  readonly #clock: Clock;
  readonly #viewers: (path: StreamPath) => number;
  readonly #onSegment: HlsOutputOptions['onSegment'];
  readonly #onEnd: (output: HlsOutput) => void;
  readonly #segmenter: Segmenter;
  /** Makes segment URLs unique over restarts of the server and of the stream, so that caches may keep them. */
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #listed: number;
  readonly #target: Micros;
  #longest: Micros;
  #segments: Segment[] = [];
  #discontinuities = 0;
  #rendered: RenderedPlaylist | undefined;
  #waiting = new Set<() => void>();
  #lastUsed: Millis;
  #ended = false;

  constructor(options: HlsOutputOptions) {
    const { source, clock, log } = options;
    const { hls } = source.settings;
    this.path = source.path;
    this.#source = source;
    this.#clock = clock;
    this.#viewers = options.viewers;
    this.#onSegment = options.onSegment;
    this.#onEnd = options.onEnd;
    this.#listed = hls.segments;
    this.#target = microsFromSeconds(hls.segmentSeconds);
    this.#longest = this.#target;
    this.#lastUsed = clock.monotonic();
    this.#segmenter = new Segmenter({
      target: this.#target,
      wallTimeOf: (dts) => source.wallTimeOf(dts),
      onSegment: (segment) => this.#add(segment),
      onUnsupported: (config) =>
        log.warn({ path: source.path, codec: config.codec }, `HLS with MPEG-TS segments can't carry ${config.codec}`),
    });
  }

  get viewers(): number {
    return this.#viewers(this.path);
  }

  get idleSince(): Millis | undefined {
    return this.#source.settings.hls.always || this.viewers > 0 ? undefined : this.#lastUsed;
  }

  /** How long its listed segments take to play. */
  get windowSeconds(): number {
    return this.#segments.slice(-this.#listed).reduce((sum, segment) => sum + segment.duration, 0) / 1_000_000;
  }

  configure(description: StreamDescription): void {
    this.#segmenter.configure(primaryTracks(description));
  }

  sample(sample: Sample): void {
    this.#segmenter.sample(sample);
  }

  discontinuity(): void {
    this.#segmenter.discontinuity();
  }

  end(): void {
    if (this.#ended) return;
    this.#segmenter.flush();
    this.#ended = true;
    this.#rendered = undefined;
    this.#wake();
    this.#onEnd(this);
  }

  sweep(): void {}

  /** The playlist, as soon as there is a segment to list; undefined when none came in time. */
  async playlist(timeoutMs: number, signal: AbortSignal): Promise<RenderedPlaylist | undefined> {
    this.#lastUsed = this.#clock.monotonic();
    if (this.#segments.length === 0 && !this.#ended) await this.#segmentArrives(timeoutMs, signal);
    if (this.#segments.length === 0) return undefined;
    this.#rendered ??= this.#render();
    return this.#rendered;
  }

  /** @param name as the playlist gave it */
  segment(name: string): Buffer | undefined {
    this.#lastUsed = this.#clock.monotonic();
    return this.#segments.find((segment) => this.#nameOf(segment) === name)?.bytes;
  }

  #nameOf(segment: Segment): string {
    return `${this.#epoch}-${segment.number}.ts`;
  }

  #add(segment: Segment): void {
    this.#longest = micros(Math.max(this.#longest, segment.duration));
    this.#segments.push(segment);
    const retained = retainedFor(this.#listed);
    if (this.#segments.length > retained) this.#segments.splice(0, this.#segments.length - retained);
    const unlisted = this.#segments.at(-this.#listed - 1);
    if (unlisted?.discontinuity) this.#discontinuities += 1;
    this.#rendered = undefined;
    this.#wake();
    this.#onSegment(this, segment, this.#urlOf(segment));
  }

  #urlOf(segment: Segment): string {
    return `${this.path.slice(this.path.lastIndexOf('/') + 1)}/hls/${this.#nameOf(segment)}`;
  }

  #render(): RenderedPlaylist {
    const text = Buffer.from(
      renderPlaylist({
        segments: this.#segments.slice(-this.#listed),
        target: this.#longest,
        discontinuitySequence: this.#discontinuities,
        ended: this.#ended,
        urlOf: (segment) => this.#urlOf(segment),
      }),
    );
    return { text, gzip: gzipSync(text) };
  }

  #segmentArrives(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const waiting of [...this.#waiting]) waiting();
  }
}
