import type { Millis } from '@sluice/media';
import type { Traffic } from '../access/session.js';

/** Samples of the last 30 s, and the one before. */
const SAMPLES = 7;
/** Of a sample: its time, received and sent. */
const FIELDS = 3;

/** Remembers how totals grew over the last samples, in little memory. */
export class RateWindow {
  /** One array of plain numbers: typed arrays of this size take four times the memory. */
  readonly #samples: number[] = Array.from({ length: SAMPLES * FIELDS }, () => 0);
  #count = 0;

  push(now: Millis, { received, sent }: Traffic): void {
    const at = (this.#count % SAMPLES) * FIELDS;
    this.#samples[at] = now;
    this.#samples[at + 1] = received;
    this.#samples[at + 2] = sent;
    this.#count += 1;
  }

  /** Kilobits a second, from the oldest sample to the newest. */
  kbps(): { readonly received: number; readonly sent: number } {
    if (this.#count < 2) return { received: 0, sent: 0 };
    const elapsed = this.#grown(0);
    if (elapsed <= 0) return { received: 0, sent: 0 };
    // Bits in a millisecond are kilobits in a second.
    return { received: (this.#grown(1) * 8) / elapsed, sent: (this.#grown(2) * 8) / elapsed };
  }

  /** From the oldest sample to the newest. */
  #grown(field: number): number {
    const newest = (this.#count - 1) % SAMPLES;
    const oldest = this.#count <= SAMPLES ? 0 : this.#count % SAMPLES;
    const [last = 0, first = 0] = [this.#samples[newest * FIELDS + field], this.#samples[oldest * FIELDS + field]];
    return Math.max(0, last - first);
  }
}
