import type { FlightItem, RecordLayer } from './record-layer.js';

const FIRST_PATIENCE_MS = 400;
const LONGEST_PATIENCE_MS = 3200;
const MOST_RETRANSMISSIONS = 7;
/** The records of one flight come one after the other; they are answered once. */
const LEAST_REPEAT_MS = 50;
/** A peer may miss our answer this often; then time alone sends it again. */
const MOST_REPEATS = 32;

/** Sends flights, and sends the last of them again: by time, and when the peer repeats its own. RFC 6347 §4.2.4. */
export class Flights {
  readonly #records: RecordLayer;
  #last: readonly FlightItem[] = [];
  /** By time. */
  #sentAt = 0;
  /** By time, or for a repetition. */
  #transmittedAt = 0;
  #patience = FIRST_PATIENCE_MS;
  #retransmissions = 0;
  #repeats = 0;
  #waits = false;

  constructor(records: RecordLayer) {
    this.#records = records;
  }

  /** Sends the next flight. @param expectsAnswer whether it is sent again until {@link settle} */
  send(flight: readonly FlightItem[], expectsAnswer: boolean, now: number): void {
    this.#last = flight;
    this.#patience = FIRST_PATIENCE_MS;
    this.#retransmissions = 0;
    this.#repeats = 0;
    this.#waits = expectsAnswer;
    this.#sentAt = now;
    this.#transmit(now);
  }

  /** The peer has sent something once more: it has missed our answer. */
  repeat(now: number): void {
    if (this.#repeats >= MOST_REPEATS || now - this.#transmittedAt < LEAST_REPEAT_MS) return;
    // This doesn't put off the time: who only ever repeats is given up, too.
    this.#repeats += 1;
    this.#transmit(now);
  }

  /** The last flight has arrived; it is never sent again. */
  settle(): void {
    this.#last = [];
    this.#waits = false;
  }

  /** @returns whether the peer has been silent for too long */
  tick(now: number): boolean {
    if (!this.#waits || now - this.#sentAt < this.#patience) return false;
    if (this.#retransmissions >= MOST_RETRANSMISSIONS) return true;
    this.#retransmissions += 1;
    this.#patience = Math.min(LONGEST_PATIENCE_MS, this.#patience * 2);
    this.#sentAt = now;
    this.#transmit(now);
    return false;
  }

  #transmit(now: number): void {
    this.#transmittedAt = now;
    this.#records.sendFlight(this.#last);
  }
}
