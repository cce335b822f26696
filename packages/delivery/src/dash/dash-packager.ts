import {
  type Micros,
  type Millis,
  micros,
  millis,
  type Sample,
  sameTrackConfig,
  type TrackConfig,
} from '@sluice/media';
import type { CutPolicy } from '../segments/cut-policy.js';
import { DashTrack } from './dash-track.js';
import { canCarry, initSegmentOf, pictureSizeOf } from './init-segments.js';

/** Where a segment of the track that cuts go by begins. */
export interface SegmentCut {
  readonly number: number;
  /** Of its first picture. */
  readonly pts: Micros;
}

/** What belongs together without a seam, ISO 23009-1 §5.3.2. */
export interface DashPeriod {
  readonly id: number;
  /** When it began, by the wall clock. */
  readonly startedAt: Millis;
  /** Presentation time of its beginning. */
  readonly origin: Micros;
  /** The newest ones, oldest first. */
  readonly cuts: readonly SegmentCut[];
  /** The track that cuts go by: the picture, or else the first sound. */
  readonly clock: DashTrack;
  readonly tracks: readonly DashTrack[];
  /** Of the picture, in pixels. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  /** Nothing will come any more. */
  ended: boolean;
}

export interface DashPackagerOptions {
  readonly cuts: CutPolicy;
  /** How long chunks are, about. */
  readonly chunk: Micros;
  /** The numbers of a period, and of its first segments, that begin there; each larger than those before. */
  readonly numbersAt?: (dts: Micros) => { readonly period: number; readonly segment: number };
  readonly wallTimeOf: (dts: Micros) => Millis;
  readonly events: DashPackagerEvents;
}

export interface DashPackagerEvents {
  period(period: DashPeriod): void;
  /** Tracks have more than before. */
  chunk(period: DashPeriod): void;
  /** A segment of the track that cuts go by has ended; 0 µs for one that was broken off. */
  segment(period: DashPeriod, duration: Micros): void;
  /** A segment of another track has. */
  followed(period: DashPeriod): void;
  /** A track that the format can't carry, which is left out. */
  unsupported(config: TrackConfig): void;
}

/** Other tracks wait for the one that cuts go by, but not if that has fallen so far behind. */
const MAX_WAIT = 1_000_000;
/** Cuts are told to those who follow for so many segments. */
const CUTS_KEPT = 128;
/** Media that come this much later than their period said are put right by a new period. */
const MAX_LATE = millis(1000);

interface OpenPeriod extends DashPeriod {
  readonly cuts: SegmentCut[];
}

/** Cuts a stream into CMAF segments of one track each, all of them at the same times, and those into chunks. */
export class DashPackager {
  readonly #options: DashPackagerOptions;
  #configs: readonly TrackConfig[] = [];
  #clock: TrackConfig | undefined;
  #period: OpenPeriod | undefined;
  #isToRenew = false;
  #lastPeriod = 0;
  #origin: Micros = micros(0);
  #firstDts: Micros = micros(0);
  #segmentStart: Micros = micros(0);
  #chunkStart: Micros = micros(0);
  #lastDts: Micros = micros(0);
  /** Of other tracks, until the clock's has come as far, so that it is known on which side of a cut they are. */
  #waiting: Sample[] = [];
  #previousEnd: Millis = millis(0);

  constructor(options: DashPackagerOptions) {
    this.#options = options;
  }

  /** The tracks from the next sample on. The same ones again change nothing. */
  configure(tracks: readonly TrackConfig[]): void {
    const carried = tracks.filter((config) => {
      const isCarried = canCarry(config);
      if (!isCarried) this.#options.events.unsupported(config);
      return isCarried;
    });
    if (carried.length === this.#configs.length && carried.every((config, at) => isSame(config, this.#configs[at])))
      return;
    this.flush();
    this.#configs = carried;
    this.#clock = carried.find(({ kind }) => kind === 'video') ?? carried[0];
  }

  sample(sample: Sample): void {
    const clock = this.#clock;
    if (sample.track === clock?.track) {
      this.#tick(sample, clock);
      return;
    }
    this.#waiting.push(sample);
    if (this.#period !== undefined) this.#release(this.#lastDts, sample.dts - MAX_WAIT);
    else this.#waiting = this.#waiting.filter(({ dts }) => sample.dts - dts <= MAX_WAIT);
  }

  /** The next segment begins a period. */
  renew(): void {
    this.#isToRenew = true;
  }

  /** Ends period and segments where they are: what follows doesn't continue what was. */
  flush(): void {
    this.#endPeriod(micros(Number.POSITIVE_INFINITY));
    this.#waiting = [];
  }

  /** @param until other tracks' samples from here on are for the next period */
  #endPeriod(until: Micros): void {
    const period = this.#period;
    if (period === undefined) return;
    this.#release(until, 0);
    const { tracks, startedAt } = period;
    for (const track of tracks) track.finish();
    period.ended = true;
    const seconds = Math.max(...tracks.map((track) => track.secondsOf(track.end)));
    this.#previousEnd = millis(startedAt + Math.ceil(seconds * 1000));
    this.#period = undefined;
    // A stretch that was broken off says nothing of how long segments are.
    this.#options.events.segment(period, micros(0));
  }

  /** What a sample of the track that cuts go by means for period, segment and chunk. */
  #tick(sample: Sample, config: TrackConfig): void {
    const { dts } = sample;
    const { cuts, chunk } = this.#options;
    if (this.#period === undefined) {
      if (!sample.keyframe) return;
      this.#begin(sample, config);
    } else {
      this.#release(dts, 0);
      if (cuts.cutsBefore(sample, dts - this.#segmentStart, config.kind === 'video')) {
        this.#endSegment(this.#period, sample);
        if (sample.keyframe && (this.#isToRenew || this.#isLate(this.#period, dts))) {
          this.#endPeriod(sample.pts);
          this.#begin(sample, config);
        }
      } else if (dts - this.#chunkStart >= chunk) this.#endChunk(this.#period, dts);
    }
    this.#lastDts = dts;
    this.#period?.clock.push(sample);
  }

  #begin(sample: Sample, clockConfig: TrackConfig): void {
    const { wallTimeOf, events } = this.#options;
    const { dts, pts } = sample;
    const startedAt = millis(Math.max(wallTimeOf(dts), this.#previousEnd));
    const tracks = this.#configs.map((config) => {
      const init = initSegmentOf(config, sample);
      return new DashTrack({ config, init, origin: pts, periodStartedAt: startedAt });
    });
    const clock = tracks.find(({ config }) => config === clockConfig);
    if (clock === undefined) return;
    this.#origin = pts;
    this.#firstDts = dts;
    this.#segmentStart = dts;
    this.#chunkStart = dts;
    const numbers = this.#options.numbersAt?.(dts);
    this.#lastPeriod = Math.max(this.#lastPeriod + 1, numbers?.period ?? 0);
    if (numbers !== undefined) for (const track of tracks) track.skipTo(Math.max(track.next, numbers.segment));
    const size = pictureSizeOf(clockConfig, sample);
    this.#isToRenew = false;
    const cuts = [{ number: clock.next, pts }];
    this.#period = { id: this.#lastPeriod, startedAt, origin: pts, cuts, clock, tracks, size, ended: false };
    events.period(this.#period);
  }

  #endChunk(period: DashPeriod, end: Micros): void {
    for (const track of period.tracks) track.endChunk(track === period.clock ? end : undefined);
    this.#chunkStart = end;
    this.#options.events.chunk(period);
  }

  /** Other tracks' segments end where the next picture is shown, which may be later than where it is decoded. */
  #endSegment(period: OpenPeriod, { dts: end, pts }: Sample): void {
    for (const track of period.tracks) {
      track.endChunk(track === period.clock ? end : undefined);
      if (track === period.clock) track.endSegment();
      else track.cutAt(pts);
    }
    period.cuts.push({ number: period.clock.next, pts });
    if (period.cuts.length > CUTS_KEPT) period.cuts.shift();
    const duration = micros(end - this.#segmentStart);
    this.#segmentStart = end;
    this.#chunkStart = end;
    this.#options.events.segment(period, duration);
  }

  #isLate({ startedAt }: DashPeriod, dts: Micros): boolean {
    return this.#options.wallTimeOf(dts) - startedAt - (dts - this.#firstDts) / 1000 > MAX_LATE;
  }

  /** Gives tracks what is before `until`, and what has waited for too long; what the period began behind is left out. */
  #release(until: Micros, tooOld: number): void {
    const period = this.#period;
    const stay: Sample[] = [];
    for (const sample of this.#waiting) {
      if (sample.dts >= until && sample.dts >= tooOld) stay.push(sample);
      else if (period !== undefined && sample.pts >= this.#origin) this.#give(period, sample);
    }
    this.#waiting = stay;
  }

  #give(period: DashPeriod, sample: Sample): void {
    const track = period.tracks.find(({ config }) => config.track === sample.track);
    if (track?.push(sample) === true) this.#options.events.followed(period);
  }
}

const isSame = (a: TrackConfig, b: TrackConfig | undefined): boolean => b !== undefined && sameTrackConfig(a, b);
