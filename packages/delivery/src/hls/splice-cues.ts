import { MediaError, type Millis, type TimedMetadata } from '@sluice/media';
import { dateRangesOf, renderDateRange, type SpliceCue } from './date-range.js';

/** A break whose end never came is forgotten after so long beyond the window. */
const AFTERLIFE_MS = 3_600_000;
const MOST_CUES = 1000;

/** The SCTE 35 cues of a stream, as far as its playlist tells of them. */
export class SpliceCues {
  #cues: SpliceCue[] = [];
  #lines: readonly string[] = [];

  /**
   * Takes a cue. One that can't be read is left out.
   *
   * @param at wall time at which it is due; taken once, so that a range's start never changes
   */
  add({ data }: TimedMetadata, at: Millis): boolean {
    const cues = [...this.#cues, { at, section: data }].slice(-MOST_CUES);
    try {
      this.#lines = dateRangesOf(cues).map(renderDateRange);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      return false;
    }
    this.#cues = cues;
    return true;
  }

  /** `EXT-X-DATERANGE` tags, RFC 8216 §4.3.2.7. @param windowStart what ended long before it is not told any more */
  linesSince(windowStart: Millis): readonly string[] {
    const oldest = windowStart - AFTERLIFE_MS;
    if (this.#cues.some(({ at }) => at < oldest)) {
      this.#cues = this.#cues.filter(({ at }) => at >= oldest);
      this.#lines = dateRangesOf(this.#cues).map(renderDateRange);
    }
    return this.#lines;
  }
}
