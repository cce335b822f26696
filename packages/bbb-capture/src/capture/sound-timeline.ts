const CHANNELS = 2;
const BYTES_PER_FRAME = CHANNELS * 4;
/** How far the count of samples may be from their times before it is set right. */
const MOST_DRIFT_SECONDS = 0.04;
/** More than that is not filled up: the sound begins anew. */
const MOST_GAP_SECONDS = 10;

/** What to do with a block of sound so that the count of samples stays true to the clock. */
export type SoundStep =
  | { readonly type: 'write'; readonly pcm: Buffer }
  /** The gap is too large, or the rate is another one: the encoder begins anew at `time`. */
  | { readonly type: 'restart'; readonly time: number; readonly sampleRate: number; readonly pcm: Buffer };

/**
 * Keeps sound in step with its times: an encoder counts samples, so that what is missing is filled with silence, and
 * what came twice is left out.
 */
export class SoundTimeline {
  #start = 0;
  #rate = 0;
  #frames = 0;

  /** Where the sound written so far ends, in microseconds; undefined before the first. */
  get end(): number | undefined {
    return this.#rate === 0 ? undefined : this.#start + (this.#frames / this.#rate) * 1_000_000;
  }

  /** @param time of the first sample, in microseconds */
  push(time: number, sampleRate: number, pcm: Buffer): SoundStep | undefined {
    const { end } = this;
    const drift = end === undefined ? 0 : (time - end) / 1_000_000;
    if (end === undefined || sampleRate !== this.#rate || Math.abs(drift) > MOST_GAP_SECONDS) {
      this.#start = end === undefined ? time : Math.max(time, end);
      this.#rate = sampleRate;
      this.#frames = pcm.length / BYTES_PER_FRAME;
      return { type: 'restart', time: this.#start, sampleRate, pcm };
    }
    if (drift > MOST_DRIFT_SECONDS) return this.#write(Buffer.concat([this.#silence(drift), pcm]));
    if (drift < -MOST_DRIFT_SECONDS) {
      const surplus = Math.round(-drift * sampleRate) * BYTES_PER_FRAME;
      return surplus >= pcm.length ? undefined : this.#write(pcm.subarray(surplus));
    }
    return this.#write(pcm);
  }

  /** Fills with silence up to a time, where the tab gives no sound. */
  fillUntil(time: number): SoundStep | undefined {
    const { end } = this;
    if (end === undefined || time <= end) return undefined;
    return this.#write(this.#silence(Math.min((time - end) / 1_000_000, MOST_GAP_SECONDS)));
  }

  #write(pcm: Buffer): SoundStep {
    this.#frames += pcm.length / BYTES_PER_FRAME;
    return { type: 'write', pcm };
  }

  #silence(seconds: number): Buffer {
    return Buffer.alloc(Math.round(seconds * this.#rate) * BYTES_PER_FRAME);
  }
}
