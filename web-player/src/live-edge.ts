/** What to do to stay near the live edge. */
export interface ChaseStep {
  readonly rate: number;
  /** Jump so that this many seconds are left to the edge. */
  readonly seekBehindEdge?: number;
}

/** Closer to the edge than this and each hiccup of the network stops the picture. */
export const COMFORT = 0.7;
/** A network that hiccups gets more room, up to here. */
const MAX_COMFORT = 3;
const COMFORT_STEP = 0.4;
/** A network that has been quiet for this long is trusted with less room again. */
const QUIET_MS = 60_000;
/** This far beyond comfort, playing a little faster catches up without anybody hearing it. */
const HURRY_BEYOND = 0.8;
const HURRY_RATE = 1.06;
/** This far beyond comfort, catching up by speed would take minutes. */
const JUMP_BEYOND = 5;

/**
 * @param lag seconds between what is shown and the end of what has come
 * @param comfort seconds to keep in hand
 */
export function chase(lag: number, currentRate: number, comfort: number): ChaseStep {
  if (lag > comfort + JUMP_BEYOND) return { rate: 1, seekBehindEdge: comfort };
  if (lag > comfort + HURRY_BEYOND) return { rate: HURRY_RATE };
  // Once it hurries, it does so down to the comfortable distance, so that the rate doesn't flicker.
  if (lag > comfort && currentRate > 1) return { rate: HURRY_RATE };
  return { rate: 1 };
}

/** Where to begin: what a server sends of the past, so that the picture comes at once, isn't lived through. */
export function firstStep(lag: number, comfort: number): ChaseStep {
  return lag > comfort + HURRY_BEYOND ? { rate: 1, seekBehindEdge: comfort } : { rate: 1 };
}

/** How much to keep in hand: more after each stall, less again while there is none. */
export class Comfort {
  #seconds = COMFORT;
  #changedAt = Number.NEGATIVE_INFINITY;

  get seconds(): number {
    return this.#seconds;
  }

  /** The picture stood still because nothing came. */
  stalled(now: number): void {
    this.#seconds = Math.min(MAX_COMFORT, this.#seconds + COMFORT_STEP);
    this.#changedAt = now;
  }

  /** The picture moves. */
  moved(now: number): void {
    if (this.#seconds === COMFORT || now - this.#changedAt < QUIET_MS) return;
    this.#seconds = Math.max(COMFORT, this.#seconds - COMFORT_STEP);
    this.#changedAt = now;
  }
}

/** The part of `TimeRanges` that is used here. */
export type Ranges = Pick<TimeRanges, 'length' | 'start' | 'end'>;

/** The end of the last buffered range; undefined while there is none. */
export function bufferedEnd(buffered: Ranges): number | undefined {
  return buffered.length === 0 ? undefined : buffered.end(buffered.length - 1);
}

/** Seconds that can be shown before something has to come. */
export function bufferedAhead(buffered: Ranges, currentTime: number): number | undefined {
  const end = bufferedEnd(buffered);
  return end === undefined ? undefined : Math.max(0, end - currentTime);
}

/** Where to go when the picture stands in a gap between two ranges; undefined where it doesn't. */
export function endOfGap(buffered: Ranges, currentTime: number): number | undefined {
  for (let index = 0; index < buffered.length; index++) {
    const start = buffered.start(index);
    if (currentTime < start) return start;
    if (currentTime < buffered.end(index)) return undefined;
  }
  return undefined;
}

/** Seconds between the event and the picture, both by the wall clock; undefined where the stream doesn't tell. */
export function latencyByClock(shownAt: number | undefined, now: number): number | undefined {
  if (shownAt === undefined || Number.isNaN(shownAt)) return undefined;
  return Math.max(0, (now - shownAt) / 1000);
}
