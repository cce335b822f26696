import type { Sample } from '@sluice/media';

/** How long a sample waits for the other track: sound comes later than its picture, by what its encoder takes. */
const MOST_WAIT_MICROS = 400_000;

/** Brings the samples of two tracks into the order of their times. */
export class Interleaver {
  #waiting: { readonly video: Sample[]; readonly audio: Sample[] } = { video: [], audio: [] };

  /** @returns what may go on, in order */
  push(sample: Sample): Sample[] {
    this.#waiting[sample.kind].push(sample);
    const { video, audio } = this.#waiting;
    const ready: Sample[] = [];
    for (;;) {
      const [picture] = video;
      const [sound] = audio;
      const first = sound === undefined || (picture !== undefined && picture.dts <= sound.dts) ? picture : sound;
      if (first === undefined) break;
      const other = first === picture ? audio : video;
      const isLate = sample.dts - first.dts > MOST_WAIT_MICROS;
      if (other.length === 0 && !isLate) break;
      ready.push(first);
      (first === picture ? video : audio).shift();
    }
    return ready;
  }

  clear(): void {
    this.#waiting = { video: [], audio: [] };
  }
}
