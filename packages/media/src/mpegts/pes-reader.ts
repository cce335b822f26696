import { MediaError } from '../errors.js';

/** A whole PES packet. */
export interface PesPacket {
  /** 33 bits of 90 kHz; undefined where the header has none. */
  readonly pts: number | undefined;
  readonly dts: number | undefined;
  readonly data: Buffer;
}

const LENGTH_END = 6;
const FIXED_HEADER = 9;
const TIMESTAMP_SIZE = 5;
/** Stream ids whose packets have no optional header, ISO 13818-1 §2.4.3.7. */
const PLAIN_STREAM_IDS: ReadonlySet<number> = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

const FIRST_SCRATCH = 64 * 1024;
/** More than this isn't kept for the next packet. */
const KEPT_SCRATCH = 1024 * 1024;

/**
 * Puts the PES packets of one PID together, ISO 13818-1 §2.4.3.6. Payloads are copied at once: they are views of
 * chunks, and a sender of packets with one byte each must not make us keep them all.
 */
export class PesAssembler {
  readonly #maxBytes: number;
  #scratch: Buffer = NONE;
  #size = 0;
  #started = false;

  /** @param maxBytes the longest PES packet that is put together */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Begins a packet. What was under way is gone: `flush` it before. */
  start(payload: Buffer): PesPacket | undefined {
    this.reset();
    this.#started = true;
    return this.append(payload);
  }

  /**
   * @returns the packet, if it is complete with this payload, by its own length
   * @throws {MediaError} `malformed` where there is no PES packet, `too-large`; the rest of the packet is passed over
   */
  append(payload: Buffer): PesPacket | undefined {
    if (!this.#started) return undefined;
    if (this.#size + payload.length > this.#maxBytes) {
      this.reset();
      throw new MediaError('too-large', `a PES packet is longer than ${this.#maxBytes} bytes`);
    }
    this.#reserve(this.#size + payload.length);
    this.#size += payload.copy(this.#scratch, this.#size);
    if (this.#size < LENGTH_END) return undefined;
    if (this.#scratch.readUIntBE(0, 3) !== 1) {
      this.reset();
      throw new MediaError('malformed', 'a PES packet without its start code');
    }
    const expected = this.#expected();
    return expected > 0 && this.#size >= expected ? this.#finish(expected) : undefined;
  }

  /**
   * @returns the packet under way, if it is one that ends where the next begins
   * @throws {MediaError} `truncated` if it was to be longer
   */
  flush(): PesPacket | undefined {
    if (!this.#started) return undefined;
    const expected = this.#expected();
    if (expected === 0 && this.#size >= LENGTH_END) return this.#finish(this.#size);
    const size = this.#size;
    this.reset();
    throw new MediaError('truncated', `a PES packet ends after ${size} of ${Math.max(expected, LENGTH_END)} bytes`);
  }

  reset(): void {
    this.#started = false;
    this.#size = 0;
    if (this.#scratch.length > KEPT_SCRATCH) this.#scratch = NONE;
  }

  /** The packet's length by its header; 0 where it has none. */
  #expected(): number {
    const length = this.#size < LENGTH_END ? 0 : this.#scratch.readUInt16BE(4);
    return length === 0 ? 0 : LENGTH_END + length;
  }

  #finish(length: number): PesPacket | undefined {
    const bytes = Buffer.from(this.#scratch.subarray(0, length));
    this.reset();
    return parsePes(bytes);
  }

  #reserve(size: number): void {
    if (size <= this.#scratch.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(FIRST_SCRATCH, 2 * this.#scratch.length, size)));
    this.#scratch.copy(grown, 0, 0, this.#size);
    this.#scratch = grown;
  }
}

const NONE = Buffer.alloc(0);

/** @returns undefined for a packet that has no media: padding, maps and the like */
function parsePes(bytes: Buffer): PesPacket | undefined {
  if (PLAIN_STREAM_IDS.has(bytes[3] ?? 0)) return undefined;
  const dataAt = FIXED_HEADER + (bytes[8] ?? 0);
  if (bytes.length < FIXED_HEADER || dataAt > bytes.length) {
    throw new MediaError('malformed', `a PES packet of ${bytes.length} bytes is shorter than its header`);
  }
  const flags = (bytes[7] ?? 0) >> 6;
  const hasPts = (flags & 2) !== 0 && dataAt >= FIXED_HEADER + TIMESTAMP_SIZE;
  const hasDts = flags === 3 && dataAt >= FIXED_HEADER + 2 * TIMESTAMP_SIZE;
  const pts = hasPts ? readTimestamp(bytes, FIXED_HEADER) : undefined;
  const dts = hasDts ? readTimestamp(bytes, FIXED_HEADER + TIMESTAMP_SIZE) : pts;
  return { pts, dts, data: bytes.subarray(dataAt) };
}

/** The presentation time of a PES packet whose first 14 bytes are there; undefined where it has none. */
export function readPesPts(head: Buffer): number | undefined {
  const hasPts = ((head[7] ?? 0) & 0x80) !== 0 && (head[8] ?? 0) >= TIMESTAMP_SIZE;
  return hasPts ? readTimestamp(head, FIXED_HEADER) : undefined;
}

/** 33 bits among marker bits, ISO 13818-1 table 2-21. */
function readTimestamp(bytes: Buffer, at: number): number {
  const high = ((bytes[at] ?? 0) >> 1) & 7;
  return high * 0x4000_0000 + (bytes.readUInt16BE(at + 1) >> 1) * 0x8000 + (bytes.readUInt16BE(at + 3) >> 1);
}
