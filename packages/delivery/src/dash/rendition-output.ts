import type { Clock, Output, StreamDescription } from '@sluice/core';
import { type Micros, type Millis, micros, type Sample, sameTrackConfig, type VideoTrackConfig } from '@sluice/media';
import type { Departure } from '../segments/departure.js';
import { Waiters } from '../segments/waiters.js';
import type { NamedResource } from './dash-names.js';
import { CHUNK, type DashOutput, type DashResource, NOTHING, RETIRED, type SegmentPlace } from './dash-output.js';
import type { DashPeriod } from './dash-packager.js';
import { DashTrack } from './dash-track.js';
import { canCarry, initSegmentOf } from './init-segments.js';

export interface RenditionOutputOptions {
  /** What it is a rendition of. */
  readonly lead: DashOutput;
  readonly clock: Clock;
  /**
   * Whether an init segment is the one that clients have of this period, where they have one: it can't change in it.
   */
  readonly agrees: (period: number, init: Buffer) => boolean;
}

/** Where it is: the segment that the last picture belongs to. */
interface Position {
  readonly period: number;
  readonly number: number;
}

interface PeriodTrack {
  readonly period: number;
  readonly track: DashTrack;
}

/**
 * The picture of a rendition in the periods of its source, cut where that was: a segment has the number and the time of
 * the source's. A segment of which the rendition lacks the beginning, as those do from before it was made, holds one
 * picture: players that find nothing where the MPD says that there is something wait for it for ever.
 */
export class RenditionOutput implements Output {
  /** They are the source's. */
  readonly viewers = 0;
  readonly #options: RenditionOutputOptions;
  readonly #waiters: Waiters<NamedResource>;
  #config: VideoTrackConfig | undefined;
  #tracks: readonly PeriodTrack[] = [];
  #open: (Position & { readonly track: DashTrack }) | undefined;
  #reached: Position | undefined;
  /** Of the present configuration. */
  #keyframe: Sample | undefined;
  #chunkStart: Micros = micros(0);
  #ended = false;

  constructor(options: RenditionOutputOptions) {
    this.#options = options;
    this.#waiters = new Waiters(() => options.clock.monotonic());
  }

  /** It is kept as long as its source's is, so that who changes over finds the segments of a while ago. */
  get idleSince(): Millis | undefined {
    return this.#options.lead.idleSince;
  }

  get ended(): boolean {
    return this.#ended;
  }

  configure({ tracks }: StreamDescription): void {
    const config = tracks.find((track): track is VideoTrackConfig => track.kind === 'video' && canCarry(track));
    if (config !== undefined && this.#config !== undefined && sameTrackConfig(config, this.#config)) return;
    this.discontinuity();
    this.#config = config;
    this.#keyframe = undefined;
  }

  sample(sample: Sample): void {
    const config = this.#config;
    if (sample.track !== config?.track) return;
    const place = this.#options.lead.placeOf(sample.pts);
    if (place === undefined) return;
    const { period, cut } = place;
    const open = this.#open;
    if (open?.period === period.id && open.number === cut.number) this.#goOn(open.track, sample);
    else {
      const follows = open?.period === period.id && open.number + 1 === cut.number;
      this.#endSegment(follows ? sample.dts : undefined);
      this.#reached = { period: period.id, number: cut.number };
      this.#begin(place, sample, config, follows);
    }
  }

  discontinuity(): void {
    this.#endSegment(undefined);
    this.#advance();
  }

  end(): void {
    this.#endSegment(undefined);
    this.#ended = true;
    this.#waiters.close();
  }

  sweep(): void {
    this.#waiters.sweep();
  }

  /**
   * A segment, as soon as it has begun, or an init segment, as soon as there is one.
   *
   * @returns undefined for what has not come in time
   */
  async resource(asked: NamedResource, timeoutMs: number, departure: Departure): Promise<DashResource | undefined> {
    if (!this.#isSettled(asked)) await this.#waiters.wait(asked, timeoutMs, departure);
    const track = this.#trackOf(asked.period);
    if (asked.number === undefined) return track && { kind: 'init', bytes: track.init };
    const known = track?.find(asked.number)?.body;
    if (known !== undefined || !this.#isOver(asked)) return known && { kind: 'segment', body: known };
    return this.standIn(asked);
  }

  /** In the place of a segment that won't come: the newest keyframe, for as long as that would have lasted. */
  standIn(asked: NamedResource): DashResource {
    const track = this.#trackOf(asked.period);
    const span = this.#options.lead.spanOf(asked);
    const keyframe = this.#keyframe;
    const isOf = track !== undefined && track.config === this.#config;
    const body = isOf && span && keyframe ? track.still(keyframe, span.start, span.end) : NOTHING;
    return { kind: 'segment', body };
  }

  /** Whether there is an answer. */
  #isSettled(asked: NamedResource): boolean {
    const track = this.#trackOf(asked.period);
    if (this.#isOver(asked)) return true;
    return asked.number === undefined ? track !== undefined : track?.find(asked.number) !== undefined;
  }

  /** Whether it won't come if it isn't there. */
  #isOver(asked: NamedResource): boolean {
    const { lead } = this.#options;
    if (this.#ended || lead.isCancelled(asked)) return true;
    const { period, number } = this.#reached ?? { period: 0, number: 0 };
    if (period !== asked.period || asked.number === undefined) return period > asked.period;
    return number > asked.number || (number === asked.number && this.#open === undefined);
  }

  #trackOf(period: number): DashTrack | undefined {
    return this.#tracks.find((candidate) => candidate.period === period)?.track;
  }

  #goOn(track: DashTrack, sample: Sample): void {
    if (sample.dts - this.#chunkStart >= CHUNK) {
      track.endChunk(sample.dts);
      this.#chunkStart = sample.dts;
      this.#advance();
    }
    track.push(sample);
  }

  #begin({ period, cut, begins }: SegmentPlace, sample: Sample, config: VideoTrackConfig, follows: boolean): void {
    if (sample.keyframe) this.#keyframe = sample;
    // Without a keyframe, a segment only goes on with what was before it.
    const track = sample.keyframe ? this.#openTrack(period, sample, config) : this.#trackOf(period.id);
    if (track !== undefined && begins && (sample.keyframe || follows)) {
      track.skipTo(cut.number);
      this.#open = { period: period.id, number: cut.number, track };
      this.#chunkStart = sample.dts;
      track.push(sample);
    }
    this.#advance();
  }

  /** @returns undefined where clients have another init segment: then all of them begin a new period */
  #openTrack(period: DashPeriod, first: Sample, config: VideoTrackConfig): DashTrack | undefined {
    const known = this.#trackOf(period.id);
    if (known?.config === config) return known;
    const { lead, agrees } = this.#options;
    const init = initSegmentOf(config, first);
    if (!agrees(period.id, init)) {
      lead.renew(period.id);
      return undefined;
    }
    const { origin, startedAt } = period;
    const track = known ?? new DashTrack({ config, init, origin, periodStartedAt: startedAt });
    const others = this.#tracks.filter((one) => one.period !== period.id && lead.knows(one.period));
    this.#tracks = [...others, { period: period.id, track }];
    return track;
  }

  /** @param end where the next one goes on, if it does */
  #endSegment(end: Micros | undefined): void {
    const { track } = this.#open ?? {};
    this.#open = undefined;
    if (track === undefined) return;
    if (end === undefined) track.finish();
    else {
      track.endChunk(end);
      track.endSegment();
    }
    track.retireUntil(track.secondsOf(track.end) - this.#options.lead.windowSeconds, RETIRED);
  }

  #advance(): void {
    this.#waiters.advance((asked) => this.#isSettled(asked));
  }
}
