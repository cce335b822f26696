/** What of a packet goes into its groups' repair packets. */
export interface ClippedPacket {
  /** Bits of its key slot. */
  readonly flags: number;
  readonly timestamp: number;
  /** As it was sent: encrypted. */
  readonly payload: Buffer;
}

/** Largest payload of a datagram over Ethernet. */
const LARGEST_PAYLOAD = 1456;

/** The exclusive or of the packets of a group. */
export class FecClip {
  readonly #payload = Buffer.alloc(LARGEST_PAYLOAD);
  #flags = 0;
  #length = 0;
  #timestamp = 0;
  #longest = 0;

  get flags(): number {
    return this.#flags;
  }

  get length(): number {
    return this.#length;
  }

  get timestamp(): number {
    return this.#timestamp;
  }

  /** As long as the longest of them. The group's own memory. */
  get payload(): Buffer {
    return this.#payload.subarray(0, this.#longest);
  }

  /** @param length where it isn't the payload's: a repair packet's */
  add({ flags, timestamp, payload }: ClippedPacket, length = payload.length): void {
    const size = Math.min(payload.length, LARGEST_PAYLOAD);
    this.#flags ^= flags;
    this.#timestamp = (this.#timestamp ^ timestamp) >>> 0;
    this.#length ^= length;
    this.#longest = Math.max(this.#longest, size);
    const target = this.#payload;
    for (let at = 0; at < size; at++) target[at] = (target[at] ?? 0) ^ (payload[at] ?? 0);
  }

  clear(): void {
    this.#payload.fill(0, 0, this.#longest);
    this.#flags = 0;
    this.#timestamp = 0;
    this.#length = 0;
    this.#longest = 0;
  }
}
