/** What the delays of packets say of a line: whether a queue in it grows, shrinks or stays. */
export type LineUse = 'under' | 'normal' | 'over';

interface Burst {
  readonly firstSentAt: number;
  sentAt: number;
  arrivedAt: number;
}

/** Packets that are sent within this belong together. */
const BURST_MS = 5;
/** Bursts that the trend is taken from. */
const WINDOW = 20;
const SMOOTHING = 0.9;
const GAIN = 4;
const MOST_DELTAS = 60;
const OVERUSE_MS = 10;
/** The threshold follows what is usual for the line, so that jitter and rival TCP streams don't pass for a queue. */
const THRESHOLD = { initial: 12.5, least: 6, most: 600, up: 0.0087, down: 0.039, outlier: 15, longestMs: 100 };

/** Finds the trend of the queueing delay, draft-ietf-rmcat-gcc-02 §5: by a line through the last delays. */
export class DelayTrend {
  #before: Burst | undefined;
  #current: Burst | undefined;
  #deltas = 0;
  #delay = 0;
  #smoothed = 0;
  readonly #window: { readonly at: number; readonly delay: number }[] = [];
  #threshold = THRESHOLD.initial;
  #adaptedAt: number | undefined;
  #overMs = 0;
  #trendBefore = 0;
  #use: LineUse = 'normal';

  get use(): LineUse {
    return this.#use;
  }

  /** @param sentAt ms of the sender's clock @param arrivedAt ms of the receiver's; in the order of sending */
  packet(sentAt: number, arrivedAt: number): void {
    const current = this.#current;
    if (current !== undefined && sentAt - current.firstSentAt <= BURST_MS) {
      current.sentAt = Math.max(current.sentAt, sentAt);
      current.arrivedAt = Math.max(current.arrivedAt, arrivedAt);
      return;
    }
    if (current !== undefined && this.#before !== undefined) this.#compare(this.#before, current);
    this.#before = current;
    this.#current = { firstSentAt: sentAt, sentAt, arrivedAt };
  }

  #compare(before: Burst, current: Burst): void {
    const sendDelta = current.sentAt - before.sentAt;
    this.#deltas = Math.min(this.#deltas + 1, MOST_DELTAS);
    this.#delay += current.arrivedAt - before.arrivedAt - sendDelta;
    this.#smoothed = SMOOTHING * this.#smoothed + (1 - SMOOTHING) * this.#delay;
    this.#window.push({ at: current.arrivedAt, delay: this.#smoothed });
    if (this.#window.length > WINDOW) this.#window.shift();
    if (this.#window.length === WINDOW) this.#judge(this.#slope() * this.#deltas * GAIN, sendDelta, current.arrivedAt);
  }

  #judge(trend: number, sendDelta: number, now: number): void {
    if (trend > this.#threshold) {
      // A single leap is none.
      this.#overMs += this.#overMs === 0 ? sendDelta / 2 : sendDelta;
      if (this.#overMs > OVERUSE_MS && trend >= this.#trendBefore) this.#use = 'over';
    } else {
      this.#overMs = 0;
      this.#use = trend < -this.#threshold ? 'under' : 'normal';
    }
    this.#trendBefore = trend;
    this.#adapt(Math.abs(trend), now);
  }

  #adapt(trend: number, now: number): void {
    const elapsed = Math.max(0, Math.min(now - (this.#adaptedAt ?? now), THRESHOLD.longestMs));
    this.#adaptedAt = now;
    if (trend > this.#threshold + THRESHOLD.outlier) return;
    const gain = trend < this.#threshold ? THRESHOLD.down : THRESHOLD.up;
    const threshold = this.#threshold + gain * (trend - this.#threshold) * elapsed;
    this.#threshold = Math.min(THRESHOLD.most, Math.max(THRESHOLD.least, threshold));
  }

  /** Least squares. */
  #slope(): number {
    let [sumAt, sumDelay] = [0, 0];
    for (const { at, delay } of this.#window) {
      sumAt += at;
      sumDelay += delay;
    }
    const [meanAt, meanDelay] = [sumAt / WINDOW, sumDelay / WINDOW];
    let [above, below] = [0, 0];
    for (const { at, delay } of this.#window) {
      above += (at - meanAt) * (delay - meanDelay);
      below += (at - meanAt) ** 2;
    }
    return below === 0 ? 0 : above / below;
  }
}
