/** A whole PES packet. */
export interface PesPacket {
  /** 33 bits of 90 kHz; undefined where the header has none. */
  readonly pts: number | undefined;
  readonly dts: number | undefined;
  readonly data: Buffer;
}

/** A keyframe of 4K video has 4 MiB at most; what is longer is given up. */
export const MAX_PES_BYTES = 16 * 1024 * 1024;
const FIXED_HEADER = 9;
/** Stream ids whose packets have no optional header, ISO 13818-1 §2.4.3.7. */
const PLAIN_STREAM_IDS: ReadonlySet<number> = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

/** Puts the PES packets of one PID together. ISO 13818-1 §2.4.3.6. */
export class PesAssembler {
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes of the whole packet, where its header tells. */
  #expected = 0;
  #started = false;

  /** @returns the packets that are complete by now */
  push(payload: Buffer, unitStart: boolean): PesPacket[] {
    const complete: PesPacket[] = [];
    if (unitStart) {
      complete.push(...this.flush());
      this.#started = true;
      this.#expected = lengthOf(payload);
    }
    if (!this.#started) return complete;
    this.#parts.push(payload);
    this.#size += payload.length;
    if (this.#size > MAX_PES_BYTES) this.reset();
    else if (this.#expected > 0 && this.#size >= this.#expected) complete.push(...this.flush());
    return complete;
  }

  /** What has come of the packet under way, as a packet. */
  flush(): PesPacket[] {
    if (!this.#started || this.#size === 0) return [];
    const bytes = Buffer.concat(this.#parts);
    const whole = this.#expected > 0 ? bytes.subarray(0, this.#expected) : bytes;
    this.reset();
    const packet = parsePes(whole);
    return packet === undefined ? [] : [packet];
  }

  reset(): void {
    this.#parts = [];
    this.#size = 0;
    this.#expected = 0;
    this.#started = false;
  }
}

function lengthOf(payload: Buffer): number {
  if (payload.length < 6) return 0;
  const length = payload.readUInt16BE(4);
  return length === 0 ? 0 : length + 6;
}

function parsePes(bytes: Buffer): PesPacket | undefined {
  if (bytes.length < FIXED_HEADER || bytes.readUIntBE(0, 3) !== 1) return undefined;
  if (PLAIN_STREAM_IDS.has(bytes[3] ?? 0)) return undefined;
  const flags = (bytes[7] ?? 0) >> 6;
  const dataAt = FIXED_HEADER + (bytes[8] ?? 0);
  if (dataAt > bytes.length) return undefined;
  const pts = (flags & 2) !== 0 && dataAt >= FIXED_HEADER + 5 ? readTimestamp(bytes, FIXED_HEADER) : undefined;
  const dts = flags === 3 && dataAt >= FIXED_HEADER + 10 ? readTimestamp(bytes, FIXED_HEADER + 5) : undefined;
  return { pts, dts: dts ?? pts, data: bytes.subarray(dataAt) };
}

function readTimestamp(bytes: Buffer, at: number): number {
  const high = ((bytes[at] ?? 0) >> 1) & 7;
  return high * 0x4000_0000 + (bytes.readUInt16BE(at + 1) >> 1) * 0x8000 + (bytes.readUInt16BE(at + 3) >> 1);
}
