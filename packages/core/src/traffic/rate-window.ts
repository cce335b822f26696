import type { Millis } from '@sluice/media';
import type { Traffic } from '../access/session.js';

/** Samples of the last 30 s, and the one before. */
const SAMPLES = 7;

/** Remembers how totals grew over the last samples, in little memory. */
export class RateWindow {
  readonly #times = new Float64Array(SAMPLES);
  readonly #received = new Float64Array(SAMPLES);
  readonly #sent = new Float64Array(SAMPLES);
  #count = 0;

  push(now: Millis, { received, sent }: Traffic): void {
    const at = this.#count % SAMPLES;
    this.#times[at] = now;
    this.#received[at] = received;
    this.#sent[at] = sent;
    this.#count += 1;
  }

  /** Kilobits a second, from the oldest sample to the newest. */
  kbps(): { readonly received: number; readonly sent: number } {
    if (this.#count < 2) return { received: 0, sent: 0 };
    const newest = (this.#count - 1) % SAMPLES;
    const oldest = this.#count <= SAMPLES ? 0 : this.#count % SAMPLES;
    const elapsed = at(this.#times, newest) - at(this.#times, oldest);
    const rate = (totals: Float64Array) => Math.max(0, ((at(totals, newest) - at(totals, oldest)) * 8) / elapsed);
    return elapsed <= 0 ? { received: 0, sent: 0 } : { received: rate(this.#received), sent: rate(this.#sent) };
  }
}

const at = (values: Float64Array, index: number): number => values[index] ?? 0;
