import { sequenceDistance16, Unwrapper } from '../wire/rtp.js';
import { TICK_MS, TICKS_PER_REFERENCE, type TransportFeedback } from '../wire/transport-feedback.js';
import { BaseDelay } from './base-delay.js';
import { DelayTrend } from './delay-trend.js';
import type { LineState } from './frame-budget.js';
import { LossMeter } from './loss-meter.js';
import { RateMeter } from './rate-meter.js';

/** Packets that may be under way: at 10 Mbit/s, a second. */
const RING = 1024;
const STATE = { onTheWay: 0, missing: 1, arrived: 2 } as const;

/** draft-ietf-rmcat-gcc-02 §4.4 and §6. */
const DECREASE = 0.85;
const INCREASE_PER_SECOND = 1.08;
const HIGH_LOSS = 0.1;
const LOW_LOSS = 0.02;
/** Of an application that sends less than it could, nothing is learnt beyond that. */
const HEADROOM = 1.5;
const HEADROOM_BITS = 10_000;
const LEAST_ESTIMATE = 50_000;
/** A queue shorter than this comes and goes with each burst. */
const QUEUE_MS = 25;
/** A queue that there is, whatever the trend says. */
const STANDING_QUEUE_MS = 100;
/** Shorter than this, a rate isn't one. */
const LEAST_BUSY_MS = 30;
const LEAST_RATE_MS = 100;
/** Of sound alone, that something held it up for a moment says nothing of the rate. */
const LEAST_BUSY_BYTES = 6000;
const LEAST_EXCESS = 1.1;
const EMPTY_QUEUE_MS = 5;
/** A decrease must show its effect before the next one. */
const DECREASE_AGAIN_MS = 300;
/** What a line couldn't do so long ago says nothing of now. */
const EVIDENCE_MS = 30_000;
/** Of packets that are sent at once, a keyframe's: how fast they come apart is how fast the line is. */
const TRAIN_PACKETS = 8;
const LEAST_TRAIN_MS = 5;
/** Feedback is sent at least so often; without it for longer, packets are held up. */
const FEEDBACK_MS = 250;
/** A peer that gives none any more tells nothing: better than never to send again. */
const NO_FEEDBACK_MS = 5000;
/** Of so many packets, the fastest tells of the queue: one may be late for itself. */
const LATE_PACKETS = 4;

/**
 * Estimates what a line carries, by when packets were sent and when they came: Google congestion control
 * (draft-ietf-rmcat-gcc-02) for a sender that doesn't choose its bitrate. It knows no limit until a queue grows or
 * packets get lost. Times are milliseconds of a clock that only goes forward.
 */
export class BandwidthEstimate {
  readonly #sentAt = new Float64Array(RING);
  readonly #sizes = new Uint16Array(RING);
  readonly #states = new Uint8Array(RING);
  readonly #references = new Unwrapper(24);
  readonly #trend = new DelayTrend();
  readonly #base = new BaseDelay();
  readonly #received = new RateMeter(500);
  /** While there is a queue: what the line can do. */
  readonly #busy = new RateMeter(500);
  readonly #loss = new LossMeter();
  #sent = 0;
  /** The latest that has come. */
  #latest = -1;
  #estimate = Number.POSITIVE_INFINITY;
  readonly #lately: number[] = [];
  #queueDelay = 0;
  #backlog = { ms: 0, at: 0 };
  #train = { sentAt: Number.NaN, packets: 0, bytes: 0, first: 0, last: 0 };
  #feedbackAt: number | undefined;
  #leastRoundTrip = Number.POSITIVE_INFINITY;
  #decreasedAt = Number.NEGATIVE_INFINITY;
  #evidenceAt = Number.NEGATIVE_INFINITY;

  /** Bit/s; infinite until there is evidence of congestion. */
  get estimate(): number {
    return this.#estimate;
  }

  /** All that is known of the line now. */
  lineState(now: number): LineState {
    const queueDelayMs = this.queueDelayMs(now);
    return { estimate: this.#estimate, queueDelayMs, measuredDelayMs: this.#queueDelay };
  }

  /** How long a packet that is sent now would wait in queues: as measured, and with all that was sent since. */
  queueDelayMs(now: number): number {
    if (this.#feedbackAt !== undefined && now - this.#feedbackAt > NO_FEEDBACK_MS) this.#forget();
    if (this.#feedbackAt === undefined) return 0;
    const oldest = this.#latest + 1;
    const waits = oldest < this.#sent ? now - (this.#sentAt[oldest % RING] ?? now) : 0;
    const heldUp = waits - this.#leastRoundTrip - FEEDBACK_MS;
    return Math.max(0, this.#backlog.ms - (now - this.#backlog.at), heldUp);
  }

  /** A packet goes out. @returns its transport-wide number, 16 bits that wrap */
  sent(bytes: number, now: number): number {
    const number = this.#sent;
    this.#sent += 1;
    const slot = number % RING;
    this.#sentAt[slot] = now;
    this.#sizes[slot] = bytes;
    this.#states[slot] = STATE.onTheWay;
    this.#backlog.ms = Math.max(0, this.#backlog.ms - (now - this.#backlog.at)) + this.#timeOf(bytes);
    this.#backlog.at = now;
    return number & 0xffff;
  }

  /** Takes what the receiver says. What it says of packets that weren't sent is passed over. */
  feedback({ base, referenceTime, arrivals }: TransportFeedback, now: number): void {
    if (this.#sent === 0) return;
    const elapsed = this.#feedbackAt === undefined ? 0 : now - this.#feedbackAt;
    const reference = this.#references.unwrap(referenceTime) * TICKS_PER_REFERENCE;
    const first = this.#sent + sequenceDistance16(this.#sent & 0xffff, base);
    const oldest = Math.max(0, this.#sent - RING);
    let hasNews = false;
    for (const [index, ticks] of arrivals.entries()) {
      const number = first + index;
      if (number < oldest || number >= this.#sent) continue;
      if (ticks === undefined) this.#missing(number);
      else if (this.#arrived(number, (reference + ticks) * TICK_MS, now)) hasNews = true;
    }
    if (!hasNews) return;
    this.#feedbackAt = now;
    this.#loss.pass(elapsed);
    this.#decide(now, Math.min(elapsed, 1000));
    this.#synchronise(now);
  }

  #missing(number: number): void {
    const slot = number % RING;
    if (this.#states[slot] !== STATE.onTheWay) return;
    this.#states[slot] = STATE.missing;
    this.#loss.missing();
  }

  #arrived(number: number, at: number, now: number): boolean {
    const slot = number % RING;
    const state = this.#states[slot];
    if (state === STATE.arrived) return false;
    this.#states[slot] = STATE.arrived;
    this.#loss.arrived(state === STATE.missing);
    const [sentAt, bytes] = [this.#sentAt[slot] ?? 0, this.#sizes[slot] ?? 0];
    const queueing = this.#base.queueing(at - sentAt, now);
    this.#received.add(bytes, sentAt, at);
    if (queueing < EMPTY_QUEUE_MS) this.#busy.reset(sentAt, at);
    else this.#busy.add(bytes, sentAt, at);
    this.#follow(sentAt, bytes, at);
    this.#trend.packet(sentAt, at);
    if (number < this.#latest) return true;
    this.#latest = number;
    this.#lately.push(queueing);
    if (this.#lately.length > LATE_PACKETS) this.#lately.shift();
    this.#queueDelay = Math.min(...this.#lately);
    this.#leastRoundTrip = Math.min(this.#leastRoundTrip, now - sentAt);
    return true;
  }

  /** Packets that were sent at once, and in their order. */
  #follow(sentAt: number, bytes: number, at: number): void {
    if (sentAt !== this.#train.sentAt) {
      this.#probe();
      this.#train = { sentAt, packets: 0, bytes: 0, first: at, last: at };
      return;
    }
    this.#train.packets += 1;
    this.#train.bytes += bytes;
    this.#train.last = Math.max(this.#train.last, at);
  }

  #decide(now: number, elapsed: number): void {
    const received = this.#received.rate(LEAST_RATE_MS);
    if (received === undefined) return;
    // While packets queue up, they come as fast as the line can.
    const capacity = this.#busy.capacity(LEAST_BUSY_MS, LEAST_BUSY_BYTES, LEAST_EXCESS);
    const isOver = this.#trend.use === 'over' && this.#queueDelay >= QUEUE_MS;
    if (capacity !== undefined && this.#queueDelay > STANDING_QUEUE_MS) this.#decrease(capacity, now);
    else if (capacity !== undefined && isOver) this.#decrease(capacity * DECREASE, now);
    else if (this.#loss.share > HIGH_LOSS) {
      const most = Number.isFinite(this.#estimate) ? this.#estimate : received / (1 - this.#loss.share);
      this.#decrease(Math.max(capacity ?? received, most * (1 - this.#loss.share / 2)), now);
    } else if (this.#trend.use === 'normal' && this.#loss.share < LOW_LOSS) {
      const most = Math.max(this.#estimate, received * HEADROOM + HEADROOM_BITS);
      this.#estimate = Math.min(this.#estimate * INCREASE_PER_SECOND ** (elapsed / 1000), most);
    }
    // What has come through without a queue, the line can do.
    if (this.#queueDelay < QUEUE_MS) this.#estimate = Math.max(this.#estimate, received);
    if (now - this.#evidenceAt > EVIDENCE_MS) this.#estimate = Number.POSITIVE_INFINITY;
  }

  #decrease(to: number, now: number): void {
    this.#evidenceAt = now;
    if (to >= this.#estimate) return;
    if (now - this.#decreasedAt < DECREASE_AGAIN_MS && to > this.#estimate / 2) return;
    this.#decreasedAt = now;
    this.#estimate = Math.max(LEAST_ESTIMATE, to);
  }

  #probe(): void {
    const { packets, bytes, first, last } = this.#train;
    if (packets < TRAIN_PACKETS) return;
    const rate = (bytes * 8000) / Math.max(LEAST_TRAIN_MS, last - first);
    this.#estimate = Math.max(this.#estimate, rate * DECREASE);
  }

  /** Follows the queue from what was measured last through what was sent since. */
  #synchronise(now: number): void {
    let at = this.#sentAt[this.#latest % RING] ?? now;
    let ms = this.#queueDelay;
    for (let number = this.#latest + 1; number < this.#sent; number++) {
      const sentAt = this.#sentAt[number % RING] ?? now;
      ms = Math.max(0, ms - (sentAt - at)) + this.#timeOf(this.#sizes[number % RING] ?? 0);
      at = sentAt;
    }
    ms = Math.max(0, ms - (now - at));
    // Where a line drops what it can't carry, its queue doesn't tell how much too much there is.
    const isLossy = this.#loss.share > HIGH_LOSS;
    this.#backlog = { ms: isLossy ? Math.max(ms, this.#backlog.ms - (now - this.#backlog.at)) : ms, at: now };
  }

  #forget(): void {
    this.#estimate = Number.POSITIVE_INFINITY;
    this.#backlog.ms = 0;
    this.#queueDelay = 0;
    this.#feedbackAt = undefined;
  }

  #timeOf(bytes: number): number {
    return (bytes * 8000) / this.#estimate;
  }
}
