/** Microseconds of a clock that only goes forward. */
export type Micros = number & { readonly unit: 'µs' };

/** Microseconds since the sender's connection began, in 32 bits that wrap after 71 minutes. */
export type Timestamp = number & { readonly unit: '32-bit µs' };

const MODULUS = 0x1_0000_0000;

export const micros = (value: number): Micros => value as Micros;

/** The 32 bits that go into a packet. */
export function timestampOf(sinceStart: number): Timestamp {
  return (((sinceStart % MODULUS) + MODULUS) % MODULUS) as Timestamp;
}

/** Follows 32-bit timestamps over their wraps, §4.5.1.1: each is taken for less than half a turn from the newest. */
export class TimestampUnwrapper {
  #newest: number | undefined;

  /** @returns microseconds since the sender's connection began */
  unwrap(timestamp: Timestamp): Micros {
    if (this.#newest === undefined) {
      this.#newest = timestamp;
      return micros(timestamp);
    }
    const turn = Math.round((this.#newest - timestamp) / MODULUS);
    const value = timestamp + turn * MODULUS;
    if (value > this.#newest) this.#newest = value;
    return micros(value);
  }
}
