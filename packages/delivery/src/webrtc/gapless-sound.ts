import { type Micros, micros, opusPacketDuration } from '@sluice/media';

/** Times that are further off say that something is missing, or that the sound has moved. */
const TOLERANCE = 20_000;

/**
 * Puts each Opus packet where the one before it ends. Receivers take a gap of one sample for a packet that got lost, and
 * fill it; times that were rounded on their way have such gaps everywhere.
 */
export class GaplessSound {
  #next: Micros | undefined;

  /** @throws {MediaError} for a packet that can't be read */
  place(packet: Buffer, pts: Micros): Micros {
    const isNext = this.#next !== undefined && Math.abs(pts - this.#next) <= TOLERANCE;
    const at = isNext && this.#next !== undefined ? this.#next : pts;
    this.#next = micros(at + opusPacketDuration(packet));
    return at;
  }
}
