import { type Micros, micros, type Timestamp, TimestampUnwrapper } from '../wire/timestamp.js';

/** Samples of the difference between the clocks that are averaged, §4.7. */
const DRIFT_SAMPLES = 1000;
/** Smaller drifts are noise. */
const DRIFT_LEAST = 5000;

/** Says when a packet is to be delivered, §4.5.1: at its own time and the latency, by this side's clock. */
export class DeliveryClock {
  readonly #latency: number;
  readonly #unwrapper = new TimestampUnwrapper();
  #base: number;
  #driftSum = 0;
  #driftCount = 0;

  /** @param options.timestamp of the handshake packet that came at `now` */
  constructor(options: { now: Micros; timestamp: Timestamp; latency: number }) {
    this.#latency = options.latency;
    this.#base = options.now - this.#unwrapper.unwrap(options.timestamp);
  }

  /** Any packet of the peer says what time it is there: without data for half a turn, the next one could not be told. */
  heard(timestamp: Timestamp): void {
    this.#unwrapper.unwrap(timestamp);
  }

  deliveryTime(timestamp: Timestamp): Micros {
    return micros(this.#base + this.#unwrapper.unwrap(timestamp) + this.#latency);
  }

  /** Follows the peer's clock, which runs a little faster or slower, by the packets that come at once: ACKACKs. */
  observe(timestamp: Timestamp, now: Micros, rtt: number): void {
    this.#driftSum += now - rtt / 2 - (this.#base + this.#unwrapper.unwrap(timestamp));
    this.#driftCount += 1;
    if (this.#driftCount < DRIFT_SAMPLES) return;
    const drift = this.#driftSum / this.#driftCount;
    this.#driftSum = 0;
    this.#driftCount = 0;
    if (Math.abs(drift) > DRIFT_LEAST) this.#base += drift;
  }
}
