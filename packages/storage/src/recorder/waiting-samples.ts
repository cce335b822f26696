import type { Micros, Sample, TrackId } from '@sluice/media';

/** Of GOPs that last for long; what is older has been given up. */
const MAX_DURATION = 10_000_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** Samples that come before the file that they belong to can begin with a picture. */
export class WaitingSamples {
  #samples: Sample[] = [];
  #bytes = 0;

  /** @param within no more is kept than this. @returns how many had to be given up */
  push(sample: Sample, within = MAX_DURATION): number {
    this.#samples.push(sample);
    this.#bytes += sample.data.length;
    let dropped = 0;
    for (let oldest = this.#samples[0]; oldest !== undefined; oldest = this.#samples[0]) {
      if (this.#bytes <= MAX_BYTES && sample.dts - oldest.dts <= within) break;
      this.#samples.shift();
      this.#bytes -= oldest.data.length;
      dropped += 1;
    }
    return dropped;
  }

  /** @param from those before are given up, where it is given */
  take(from: Micros | undefined): Sample[] {
    const samples = this.#samples;
    this.clear();
    return from === undefined ? samples : samples.filter(({ dts }) => dts >= from);
  }

  /** @returns how many had to be given up */
  keepOnly(tracks: readonly TrackId[]): number {
    const before = this.#samples.length;
    this.#samples = this.#samples.filter(({ track }) => tracks.includes(track));
    this.#bytes = this.#samples.reduce((sum, { data }) => sum + data.length, 0);
    return before - this.#samples.length;
  }

  clear(): void {
    this.#samples = [];
    this.#bytes = 0;
  }
}
