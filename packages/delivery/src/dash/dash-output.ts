import { randomBytes } from 'node:crypto';
import type { Clock, Logger, Output, OutputSource, StreamDescription, StreamPath } from '@sluice/core';
import { type Micros, type Millis, micros, microsFromSeconds, type Sample } from '@sluice/media';
import { CutPolicy } from '../segments/cut-policy.js';
import type { Departure } from '../segments/departure.js';
import { Waiters } from '../segments/waiters.js';
import { DashNames, type NamedResource } from './dash-names.js';
import { DashPackager, type DashPeriod, type SegmentCut } from './dash-packager.js';
import { GrowingSegment } from './growing-segment.js';
import { isSameFamily, type ListedRendition, renderMpd } from './mpd.js';

/** What an MPD names. */
export type DashResource =
  | { readonly kind: 'init'; readonly bytes: Buffer }
  | { readonly kind: 'segment'; readonly body: GrowingSegment };

export interface DashOutputOptions {
  readonly source: OutputSource;
  readonly clock: Clock;
  /** How many watch a path. */
  readonly viewers: (path: StreamPath) => number;
  /** Of the stream, that can be had. */
  readonly renditions: () => readonly ListedRendition[];
  readonly log: Logger;
  /** The stream is over; the segments stay good for those who haven't seen them yet. */
  readonly onEnd: (output: DashOutput) => void;
}

/** How long chunks are, where segments are sent while they are being made. */
export const CHUNK = micros(200_000);
/** Segments that have left the MPD stay for those who still ask: as many. */
export const RETIRED = 5;
/** Segments are steady that are this much alike, as a part of their length. */
const TOLERANCE = 0.1;
/** Renditions are told their pictures' times in ticks, and back again: µs. */
const TIME_TOLERANCE = 2000;
/** An MPD may list this many segments behind the one that comes next. */
const LISTED_AHEAD = 1;
const MICROS = 1_000_000;
/**
 * A segment that was listed ahead of its time, before which the encoder went away: there is nothing in it. Players that
 * were told so by an error would ask again and again before they went on.
 */
export const NOTHING = new GrowingSegment();
NOTHING.complete();

/** Where a picture belongs. */
export interface SegmentPlace {
  readonly period: DashPeriod;
  readonly cut: SegmentCut;
  /** It is the first picture of the segment. */
  readonly begins: boolean;
}

type Wanted = { readonly kind: 'mpd' } | (NamedResource & { readonly kind: 'resource' });

/** One stream's DASH: periods with their segments in memory, and the MPD over them. */
export class DashOutput implements Output {
  readonly path: StreamPath;
  readonly #source: OutputSource;
  readonly #options: DashOutputOptions;
  readonly #packager: DashPackager;
  readonly #waiters: Waiters<Wanted>;
  readonly #names: DashNames;
  readonly #periods: DashPeriod[] = [];
  /** What a period lists stays as it is: players don't look for more, or less, in one that they know. */
  readonly #listings = new Map<number, readonly ListedRendition[]>();
  /** Periods that have left the MPD; the last ones stay for those who still ask. */
  #retired: DashPeriod[] = [];
  #availabilityStart: Millis | undefined;
  /** How long the last segment was, and whether the one before it was as long. */
  #segment: Micros | undefined;
  #isSteady = true;
  #mpd: string | undefined;
  #lastUsed: Millis;
  #ended = false;

  constructor(options: DashOutputOptions) {
    const { source, clock, log } = options;
    this.path = source.path;
    this.#source = source;
    this.#options = options;
    this.#waiters = new Waiters(() => clock.monotonic());
    // Unique over restarts of the server and of the stream, so that caches may keep what they get.
    this.#names = new DashNames(source.path, randomBytes(4).toString('hex'));
    this.#lastUsed = clock.monotonic();
    this.#packager = new DashPackager({
      cuts: new CutPolicy(microsFromSeconds(source.settings.dash.segmentSeconds)),
      chunk: CHUNK,
      ...(source.isFollowing ? { numbersAt: sharedNumbers(source) } : {}),
      wallTimeOf: source.wallTimeOf.bind(source),
      events: {
        period: (period) => this.#periods.push(period),
        chunk: (period) => this.#onChunk(period),
        segment: (_, duration) => this.#onSegment(duration),
        followed: () => this.#changed(),
        unsupported: ({ codec }) => log.warn({ path: this.path, codec }, `DASH can't carry ${codec}`),
      },
    });
  }

  get viewers(): number {
    return this.#options.viewers(this.path);
  }

  get idleSince(): Millis | undefined {
    return this.viewers > 0 ? undefined : this.#lastUsed;
  }

  get segmentSeconds(): number {
    return (this.#segment ?? microsFromSeconds(this.#source.settings.dash.segmentSeconds)) / MICROS;
  }

  /** How far back it can be watched. */
  get windowSeconds(): number {
    return this.segmentSeconds * this.#source.settings.dash.segments;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Those that the MPD lists. */
  get renditions(): readonly ListedRendition[] {
    return [...this.#listings.values()].flat();
  }

  configure({ tracks }: StreamDescription): void {
    const picture = tracks.find(({ kind }) => kind === 'video');
    this.#packager.configure(tracks.filter((config) => config === picture || config.kind === 'audio'));
  }

  sample(sample: Sample): void {
    this.#packager.sample(sample);
  }

  discontinuity(): void {
    this.#packager.flush();
  }

  end(): void {
    if (this.#ended) return;
    this.#packager.flush();
    this.#ended = true;
    this.#changed();
    this.#waiters.close();
    this.#options.onEnd(this);
  }

  sweep(): void {
    this.#waiters.sweep();
  }

  /**
   * The MPD, as soon as there is a segment to list.
   *
   * @returns undefined where none came in time
   */
  async mpd(timeoutMs: number, departure: Departure): Promise<string | undefined> {
    this.#lastUsed = this.#options.clock.monotonic();
    const wanted = { kind: 'mpd' } as const;
    if (!this.#has(wanted)) await this.#waiters.wait(wanted, timeoutMs, departure);
    this.#mpd ??= this.#render();
    return this.#mpd;
  }

  /**
   * What an MPD names, as soon as it has begun; segments that are listed ahead of their time are waited for.
   *
   * @param name as the MPD gave it
   */
  async resource(name: string, timeoutMs: number, departure: Departure): Promise<DashResource | undefined> {
    const asked = this.#names.read(name);
    return asked && this.resourceOf(asked, timeoutMs, departure);
  }

  /** The same of a name that has been read. */
  async resourceOf(asked: NamedResource, timeoutMs: number, departure: Departure): Promise<DashResource | undefined> {
    this.#lastUsed = this.#options.clock.monotonic();
    const track = this.#trackOf(asked);
    if (track === undefined) return undefined;
    if (asked.number === undefined) return { kind: 'init', bytes: track.init };
    const wanted = { kind: 'resource', ...asked } as const;
    const isAhead = asked.number >= track.next && asked.number <= track.next + LISTED_AHEAD;
    if (isAhead && !this.#has(wanted)) await this.#waiters.wait(wanted, timeoutMs, departure);
    const body = track.find(asked.number)?.body ?? (isAhead && this.#isOver(asked) ? NOTHING : undefined);
    return body && { kind: 'segment', body };
  }

  /** What a name stands for. @returns undefined for what this output's MPD can't have named */
  read(name: string): NamedResource | undefined {
    return this.#names.read(name);
  }

  /** The segment in which a picture is shown, where it is still known. */
  placeOf(pts: Micros): SegmentPlace | undefined {
    const periods = [...this.#retired, ...this.#periods];
    for (const period of periods.reverse()) {
      const cut = period.cuts.findLast((candidate) => candidate.pts <= pts + TIME_TOLERANCE);
      if (cut !== undefined) return { period, cut, begins: cut.pts >= pts - TIME_TOLERANCE };
    }
    return undefined;
  }

  /** A rendition as its period lists it. */
  listed(path: StreamPath, period: number): ListedRendition | undefined {
    return this.#listings.get(period)?.find((rendition) => rendition.path === path);
  }

  /** Whether who has a decoder for a rendition has one for the stream itself. */
  canStandInFor({ codec }: ListedRendition, period: number): boolean {
    const config = this.#periodOf(period)?.clock.config;
    return config !== undefined && isSameFamily(config.codecString, codec);
  }

  /** Whether an MPD may name it for all Representations of the picture; without a number, any of its period. */
  mayList({ period: id, number }: NamedResource): boolean {
    const period = this.#periodOf(id);
    if (period === undefined || number === undefined) return period !== undefined;
    const { cuts, clock } = period;
    const newest = cuts.at(-1)?.number ?? 0;
    return clock.find(number) !== undefined || (number >= clock.next && number <= newest + 1 + LISTED_AHEAD);
  }

  /** When a segment is shown that has ended; undefined where that isn't known. */
  spanOf({ period: id, number }: NamedResource): { readonly start: Micros; readonly end: Micros } | undefined {
    const cuts = this.#periodOf(id)?.cuts ?? [];
    const at = cuts.findIndex((cut) => cut.number === number);
    const [start, end] = [cuts[at]?.pts, cuts[at + 1]?.pts];
    return start === undefined || end === undefined ? undefined : { start, end };
  }

  /** Whether it was listed ahead of its time, and then its period was over. */
  isCancelled({ period: id, number = 0 }: NamedResource): boolean {
    const period = this.#periodOf(id);
    return period?.ended === true && number > (period.cuts.at(-1)?.number ?? 0);
  }

  /** Whether anything of a period may still be asked for. */
  knows(period: number): boolean {
    return this.#periodOf(period) !== undefined;
  }

  /** The next segment begins a period, if this one is still the newest: something in it is not as it was any more. */
  renew(period: number): void {
    if (this.#periods.at(-1)?.id === period) this.#packager.renew();
  }

  /** Whether nothing will come of a period any more. */
  #isOver({ period }: NamedResource): boolean {
    return this.#periodOf(period)?.ended === true;
  }

  #has(wanted: Wanted): boolean {
    if (this.#ended) return true;
    if (wanted.kind === 'mpd') return this.#listed().length > 0;
    const period = this.#periodOf(wanted.period);
    if (period === undefined || period.ended || wanted.number === undefined) return true;
    return this.#trackOf(wanted)?.find(wanted.number) !== undefined;
  }

  /** Those that have something to list: all their tracks, or a whole segment. */
  #listed(): DashPeriod[] {
    const isAhead = this.#source.settings.dash.lowLatency && this.#segment !== undefined && this.#isSteady;
    return this.#periods.filter(
      ({ clock, tracks }) => clock.closed.length > 0 || (isAhead && tracks.every(({ open }) => open !== undefined)),
    );
  }

  #periodOf(id: number): DashPeriod | undefined {
    return [...this.#periods, ...this.#retired].find((period) => period.id === id);
  }

  #trackOf({ period, track }: NamedResource) {
    return this.#periodOf(period)?.tracks.find(({ id }) => id === track);
  }

  #onChunk({ clock }: DashPeriod): void {
    // What an MPD says of the open segment holds until it begins, or lasts longer than was thought.
    const { open } = clock;
    const isNew = open?.body.chunks.length === 1;
    const isLong = open !== undefined && (open.duration / clock.timescale) * MICROS > (this.#segment ?? 0);
    if (isNew || isLong) this.#changed();
  }

  /** @param duration 0 for a stretch that was broken off */
  #onSegment(duration: Micros): void {
    if (duration > 0) {
      const before = this.#segment ?? duration;
      this.#isSteady = Math.abs(duration - before) <= TOLERANCE * before;
      this.#segment = duration;
    }
    this.#retire();
    this.#changed();
  }

  /** Takes off the list what it does without. */
  #retire(): void {
    const { segments } = this.#source.settings.dash;
    let excess = this.#periods.reduce((sum, { clock }) => sum + clock.closed.length, 0) - segments;
    for (const period of [...this.#periods]) {
      const { clock, tracks } = period;
      const last = clock.closed[Math.min(excess, clock.closed.length) - 1];
      if (last !== undefined) {
        excess -= Math.min(excess, clock.closed.length);
        const end = clock.secondsOf(last.start + last.duration);
        for (const track of tracks) track.retireUntil(end, RETIRED);
      }
      if (!period.ended || clock.closed.length > 0) return;
      this.#periods.shift();
      this.#retired = [...this.#retired, period].slice(-RETIRED);
      for (const id of this.#listings.keys()) if (!this.knows(id)) this.#listings.delete(id);
    }
  }

  #render(): string | undefined {
    const periods = this.#listed();
    const [first] = periods;
    if (first === undefined) return undefined;
    const { clock, settings } = { clock: this.#options.clock, settings: this.#source.settings.dash };
    const { isFollowing } = this.#source;
    this.#availabilityStart ??= isFollowing ? this.#source.wallTimeOf(micros(0)) : first.startedAt;
    this.#list(periods);
    const segment = this.#segment ?? microsFromSeconds(settings.segmentSeconds);
    return renderMpd({
      periods,
      renditionsOf: ({ id }) => this.#listings.get(id) ?? [],
      availabilityStart: this.#availabilityStart,
      publishedAt: clock.wall(),
      updatePeriod: segment / MICROS,
      windowSeconds: this.windowSeconds,
      segment,
      chunk: settings.lowLatency ? CHUNK : undefined,
      steady: this.#segment !== undefined && this.#isSteady,
      ended: this.#ended,
      urls: this.#names,
      timeUrl: `${'../'.repeat(this.path.split('/').length - 1)}time`,
    });
  }

  /** Once the stream has ended, there are no renditions of it; what was listed stays. */
  #list(periods: readonly DashPeriod[]): void {
    if (this.#ended) return;
    const now = this.#options.renditions();
    const newest = periods.at(-1);
    for (const { id } of periods) if (!this.#listings.has(id)) this.#listings.set(id, now);
    if (newest === undefined) return;
    const listed = this.#listings.get(newest.id) ?? [];
    // Another period is for what can't be had any more only: what may be refused again could come and go for ever.
    if (listed.some(({ path }) => !now.some((rendition) => rendition.path === path))) this.renew(newest.id);
  }

  /** Something is new: the MPD is made anew, once for all who ask, and who waits for it gets it. */
  #changed(): void {
    this.#mpd = undefined;
    this.#waiters.advance((wanted) => this.#has(wanted));
  }
}

/** What is packed in several processes has about the same numbers in each, for players that come from one to another. */
function sharedNumbers({ settings }: OutputSource) {
  const segment = microsFromSeconds(settings.dash.segmentSeconds);
  return (dts: Micros) => ({
    period: Math.floor(dts / MICROS) + 1,
    segment: Math.floor(dts / segment) + 1,
  });
}
