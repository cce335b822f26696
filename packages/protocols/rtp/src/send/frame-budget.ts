/** A picture that could be sent. */
export interface BudgetedFrame {
  readonly bytes: number;
  readonly keyframe: boolean;
  /** No other one depends on it. */
  readonly disposable: boolean;
}

/** What is known of a viewer's line. */
export interface LineState {
  /** Bit/s; infinite where no limit is known. */
  readonly estimate: number;
  /** How long a packet that is sent now would wait. */
  readonly queueDelayMs: number;
  /** How long one has waited for certain, which may be long ago. */
  readonly measuredDelayMs: number;
}

/** The most that queues may add to the delay. */
const MOST_DELAY_MS = 300;
/** Beyond this, only what others depend on. */
const DISPOSABLE_DELAY_MS = 100;
/** A queue so short is no hindrance to a keyframe of any size. */
const SHORT_DELAY_MS = 100;
/** A keyframe that fills the queue so far is not tried again at once. */
const OVERSHOOT_MS = 2 * MOST_DELAY_MS;
const FIRST_WAIT_MS = 1000;
/** After so long, one is tried whatever the measurements say. */
const LONGEST_WAIT_MS = 5000;

/**
 * Decides which pictures a viewer is sent whose line may not carry all of them. First those go that nothing depends
 * on, then all until the next keyframe. That one is sent when the queue has run empty, as a trial: it fails where there
 * is still no room, and the one after the next such failure comes twice as late.
 */
export class FrameBudget {
  #isOpen = true;
  #closedAt = Number.NEGATIVE_INFINITY;
  #worst = 0;
  #failures = 0;
  #dropped = 0;

  /** Pictures that were not sent. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param now ms @returns whether to send it; who doesn't, must not send any that depends on it */
  accept(frame: BudgetedFrame, line: LineState, now: number): boolean {
    this.#worst = Math.max(this.#worst, line.measuredDelayMs);
    const isSent = this.#decide(frame, line, now);
    if (!isSent) this.#dropped += 1;
    return isSent;
  }

  #decide({ bytes, keyframe, disposable }: BudgetedFrame, line: LineState, now: number): boolean {
    const { estimate, queueDelayMs } = line;
    const after = queueDelayMs + (bytes * 8000) / estimate;
    const fits = after <= (disposable ? DISPOSABLE_DELAY_MS : MOST_DELAY_MS);
    if (keyframe) {
      const hasRoom = fits || queueDelayMs <= SHORT_DELAY_MS;
      return (this.#isOpen && hasRoom) || this.#tryAgain(line, now);
    }
    if (!fits && !disposable) this.#close(now);
    return this.#isOpen && fits;
  }

  #tryAgain({ queueDelayMs, measuredDelayMs }: LineState, now: number): boolean {
    this.#close(now);
    const hasOvershot = this.#worst > OVERSHOOT_MS;
    const wait = hasOvershot ? Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS) : 0;
    const since = now - this.#closedAt;
    if (since < wait || (queueDelayMs > SHORT_DELAY_MS && since < LONGEST_WAIT_MS)) return false;
    this.#failures = hasOvershot ? this.#failures + 1 : 0;
    this.#worst = measuredDelayMs;
    this.#isOpen = true;
    return true;
  }

  #close(now: number): void {
    if (this.#isOpen) this.#closedAt = now;
    this.#isOpen = false;
  }
}
