import { type SocketId, writeControl } from '../wire/packet.js';
import type { Micros, Timestamp } from '../wire/timestamp.js';

/** Subtypes of the user-defined control type, §3.2.2. */
export const KM_REQUEST = 3;
export const KM_RESPONSE = 4;

/** Writes the control packets of one connection, and sends them. */
export class ControlWriter {
  readonly #destination: SocketId;
  readonly #timestampAt: (now: Micros) => Timestamp;
  readonly #send: (datagram: Buffer, now: Micros) => void;

  constructor(options: {
    destination: SocketId;
    timestampAt: (now: Micros) => Timestamp;
    send: (datagram: Buffer, now: Micros) => void;
  }) {
    this.#destination = options.destination;
    this.#timestampAt = options.timestampAt;
    this.#send = options.send;
  }

  /** @param type one of `CONTROL` */
  write(type: number, info: number, content: Buffer, now: Micros, subtype = 0): void {
    const [destination, timestamp] = [this.#destination, this.#timestampAt(now)];
    this.#send(writeControl({ type, subtype, info, timestamp, destination, content }), now);
  }
}
