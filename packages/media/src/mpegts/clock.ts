import { type Micros, microsFromTicks90k, ticks90k, unwrapCounter } from '../time.js';

/** Bits of PTS, DTS and the base of a PCR. ISO 13818-1 §2.4.2.2. */
const CLOCK_BITS = 33;
/** References stand 100 ms apart at most (§2.7.2); one that is this far from the last is of a clock set anew. */
const MAX_STEP = 10 * 90_000;

/** One clock for all tracks of a programme: undoes the wrap of its times, which comes each 26.5 hours. */
export class ProgramClock {
  #lastTime: number | undefined;
  #lastReference: number | undefined;

  /** A PTS or DTS, as a time that goes on over the wrap. */
  unwrap(time: number): Micros {
    this.#lastTime = unwrapCounter(this.#lastTime ?? time, time, CLOCK_BITS);
    return microsFromTicks90k(ticks90k(this.#lastTime));
  }

  /** Where the clock is: at the last PTS or DTS, or at the last reference before there was one. */
  get now(): Micros | undefined {
    const time = this.#lastTime ?? this.#lastReference;
    return time === undefined ? undefined : microsFromTicks90k(ticks90k(time));
  }

  /** A time near `now` that isn't one of the media: the clock doesn't follow it. */
  place(time: number): Micros {
    const near = this.#lastTime ?? this.#lastReference ?? time;
    return microsFromTicks90k(ticks90k(unwrapCounter(near, time, CLOCK_BITS)));
  }

  /** @returns whether the clock was set anew: the sender says so, or the reference doesn't follow from the last */
  reference(pcr: number, announced: boolean): boolean {
    const last = this.#lastReference;
    this.#lastReference = pcr;
    if (last === undefined) return false;
    const step = unwrapCounter(last, pcr, CLOCK_BITS) - last;
    return announced || step < 0 || step > MAX_STEP;
  }

  /** References come on another PID from now on. */
  forgetReference(): void {
    this.#lastReference = undefined;
  }
}
