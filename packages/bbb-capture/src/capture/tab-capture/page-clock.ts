/** Beyond this a picture's clock can't be ours: a picture is a few milliseconds old when it comes. */
const FOREIGN_MICROS = 5_000_000;

/**
 * Brings the times of sound and picture onto one clock, the monotonic clock of this process in microseconds.
 *
 * Chromium stamps pictures with the system's monotonic clock, which is also ours, and sound with the time since the
 * page began. How far the page's beginning is from ours is learnt from messages that say what the page's clock reads:
 * the one that was quickest on its way is nearest to the truth.
 */
export class PageClock {
  #pageOffset: number | undefined;
  #pictureOffset: number | undefined;

  /** A message that was sent at `pageTime` has come at `now`. */
  heard(pageTime: number, now: number): void {
    const offset = now - pageTime;
    if (this.#pageOffset === undefined || offset < this.#pageOffset) this.#pageOffset = offset;
  }

  /** When a block of sound was, by our clock; undefined before the page has told its time. */
  soundTime(stamp: number): number | undefined {
    return this.#pageOffset === undefined ? undefined : stamp + this.#pageOffset;
  }

  /** When a picture was, by our clock. Where its clock is another one, the first picture counts as taken just now. */
  pictureTime(stamp: number, now: number): number {
    this.#pictureOffset ??= Math.abs(now - stamp) < FOREIGN_MICROS ? 0 : now - stamp;
    return stamp + this.#pictureOffset;
  }
}
