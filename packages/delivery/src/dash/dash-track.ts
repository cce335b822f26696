import {
  FragmentWriter,
  MediaError,
  type Micros,
  type Millis,
  type Sample,
  type TrackConfig,
  type TrackRun,
  ticksFromMicros,
  writeFragment,
} from '@sluice/media';
import { GrowingSegment } from './growing-segment.js';

/** A segment of one track. Times are ticks of the track's timescale. */
export interface DashSegment {
  /** Counts the track's segments in their period, from 1 on. */
  readonly number: number;
  /** Earliest presentation time, ISO 23009-1 §5.3.9.6. */
  readonly start: number;
  /** So far. */
  duration: number;
  /** Decoding can begin with it. */
  readonly independent: boolean;
  readonly body: GrowingSegment;
}

export interface DashTrackOptions {
  readonly config: TrackConfig;
  readonly init: Buffer;
  /** Presentation time of the period's beginning. */
  readonly origin: Micros;
  /** When the period began, by the wall clock. */
  readonly periodStartedAt: Millis;
}

/** One Representation of a period: its segments, and the one that is being made. */
export class DashTrack {
  readonly id: string;
  readonly config: TrackConfig;
  readonly init: Buffer;
  /** Presentation time of the period's beginning, in ticks. */
  readonly offset: number;
  readonly timescale: number;
  readonly #periodStartedAt: Millis;
  readonly #writer: FragmentWriter;
  readonly #closed: DashSegment[] = [];
  /** Those that aren't listed any more, for clients that still ask. */
  readonly #retired: DashSegment[] = [];
  #open: DashSegment | undefined;
  #next = 1;
  #fragments = 0;
  #frame = 1;
  #peak = 0;
  /** Where segments are to end that haven't yet, in ticks; ascending. */
  #cuts: number[] = [];

  /** @throws {MediaError} where the configuration can't be read */
  constructor({ config, init, origin, periodStartedAt }: DashTrackOptions) {
    this.id = `${config.kind === 'video' ? 'v' : 'a'}${config.track}`;
    this.config = config;
    this.init = init;
    this.#periodStartedAt = periodStartedAt;
    this.#writer = new FragmentWriter(config);
    this.timescale = this.#writer.timescale;
    this.offset = ticksFromMicros(origin, this.timescale);
  }

  /** Finished ones, oldest first. */
  get closed(): readonly DashSegment[] {
    return this.#closed;
  }

  get open(): DashSegment | undefined {
    return this.#open;
  }

  /** The number of the segment that will be begun next. */
  get next(): number {
    return this.#next;
  }

  /** How long its last sample was, in ticks. */
  get frame(): number {
    return this.#frame;
  }

  /** Where what there is of it ends, in ticks. */
  get end(): number {
    const last = this.#open ?? this.#closed.at(-1);
    return last === undefined ? this.offset : last.start + last.duration;
  }

  /** Bits a second of the most demanding segment so far. */
  get bandwidth(): number {
    return this.#peak > 0 || this.#open === undefined ? this.#peak : this.#rateOf(this.#open);
  }

  /** A presentation time of the track as seconds since the period's beginning. */
  secondsOf(ticks: number): number {
    return (ticks - this.offset) / this.timescale;
  }

  /** The segment that is begun next has this number, which is larger than that of any before. */
  skipTo(number: number): void {
    this.#next = number;
  }

  find(number: number): DashSegment | undefined {
    if (this.#open?.number === number) return this.#open;
    return [...this.#closed, ...this.#retired].find((segment) => segment.number === number);
  }

  /** Where the open segment will end, in ticks, if that is known. */
  get cut(): number | undefined {
    return this.#cuts[0];
  }

  /** The first sample that is presented at this time or later begins a segment. */
  cutAt(pts: Micros): void {
    this.#cuts.push(ticksFromMicros(pts, this.timescale));
  }

  /** @returns whether a segment has ended before the sample */
  push(sample: Sample): boolean {
    try {
      this.#writer.push(sample);
    } catch (error) {
      // A sample out of order: the stream goes on without it.
      if (!(error instanceof MediaError)) throw error;
      return false;
    }
    const pts = ticksFromMicros(sample.pts, this.timescale);
    if (this.#cuts[0] === undefined || pts < this.#cuts[0]) return false;
    this.#cuts = this.#cuts.filter((cut) => cut > pts);
    // The writer holds back the sample, so that what it gives are those before it.
    this.endChunk();
    this.endSegment();
    return true;
  }

  /** Ends a chunk. @param end decoding time of the sample to come, where it is known */
  endChunk(end?: Micros): void {
    this.#add(this.#writer.take(end));
  }

  /** Ends the segment with the chunk that ended last. */
  endSegment(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#peak = Math.max(this.#peak, this.#rateOf(open));
    this.#closed.push(open);
    open.body.complete();
  }

  /** All that is left goes into the last segment. */
  finish(): void {
    this.#add(this.#writer.finish());
    this.endSegment();
  }

  /** A segment of one picture, which isn't among the track's own. */
  still({ data }: Sample, start: Micros, end: Micros): GrowingSegment {
    const { track, kind } = this.config;
    const [baseDecodeTime, until] = [ticksFromMicros(start, this.timescale), ticksFromMicros(end, this.timescale)];
    const samples = [{ data, keyframe: true, compositionOffset: 0, duration: until - baseDecodeTime }];
    const run = { track, kind, timescale: this.timescale, baseDecodeTime, samples };
    const { pieces, length } = writeFragment([run], { sequence: 1, begins: 'segment' });
    const body = new GrowingSegment();
    body.append(Buffer.concat(pieces, length));
    body.complete();
    return body;
  }

  /** Takes segments off the list, those that end by then. @param seconds since the period's beginning */
  retireUntil(seconds: number, kept: number): void {
    for (;;) {
      const [oldest] = this.#closed;
      if (oldest === undefined || this.secondsOf(oldest.start + oldest.duration) > seconds) break;
      this.#retired.push(oldest);
      this.#closed.shift();
    }
    this.#retired.splice(0, Math.max(0, this.#retired.length - kept));
  }

  #add(run: TrackRun | undefined): void {
    if (run === undefined) return;
    const { samples, baseDecodeTime } = run;
    const isFirst = this.#open === undefined;
    this.#open ??= {
      number: this.#next++,
      start: earliestPresentation(run),
      duration: 0,
      independent: samples[0]?.keyframe ?? false,
      body: new GrowingSegment(),
    };
    this.#fragments += 1;
    const wallClock = (this.#periodStartedAt + Math.round(this.secondsOf(baseDecodeTime) * 1000)) as Millis;
    const { pieces, length } = writeFragment([run], {
      sequence: this.#fragments,
      ...(isFirst ? { begins: 'segment', wallClock } : { begins: 'chunk' }),
    });
    for (const { duration } of samples) this.#open.duration += duration;
    this.#frame = samples.at(-1)?.duration ?? this.#frame;
    this.#open.body.append(Buffer.concat(pieces, length));
  }

  #rateOf({ body, duration }: DashSegment): number {
    return duration === 0 ? 0 : Math.ceil((body.length * 8 * this.timescale) / duration);
  }
}

/** Of B-frames, the first to be decoded isn't the first to be shown. */
function earliestPresentation({ samples, baseDecodeTime }: TrackRun): number {
  let earliest = Number.POSITIVE_INFINITY;
  let decodeTime = baseDecodeTime;
  for (const { duration, compositionOffset } of samples) {
    earliest = Math.min(earliest, decodeTime + compositionOffset);
    decodeTime += duration;
  }
  return earliest;
}
