import { acknowledgement } from '../wire/control.js';

/** Until the peer names a window, RTMP §5.4.3 leaves it open; this is what servers use. */
const DEFAULT_WINDOW = 2_500_000;

/**
 * Counts what comes in and acknowledges it, RTMP §5.4.3. At half a window, so that a peer that stops at a full one,
 * or counts the handshake too, never waits.
 */
export class Acknowledger {
  #window = DEFAULT_WINDOW;
  #received = 0;
  #acknowledged = 0;

  get received(): number {
    return this.#received;
  }

  /** A window of 0 would ask for an answer to each byte; it is passed over. */
  setWindow(size: number): void {
    if (size > 0) this.#window = size;
  }

  /** @returns an Acknowledgement, when one is due */
  count(bytes: number): Buffer | undefined {
    this.#received += bytes;
    if (this.#received - this.#acknowledged < this.#window / 2) return undefined;
    this.#acknowledged = this.#received;
    return acknowledgement(this.#received);
  }
}
