import { TS_PACKET_SIZE, TS_SYNC_BYTE } from './packet.js';

/** Packets whose sync bytes must follow each other before the first of them is believed. */
const SYNC_PACKETS = 3;

/** Cuts bytes into packets, and finds their beginning where it was lost. ISO 13818-1 §2.4.3.2 and Annex G. */
export class PacketReader {
  #pending: Buffer = Buffer.alloc(0);
  #synced = false;
  resyncs = 0;
  skippedBytes = 0;

  /** @returns the packets that are complete by now, as views of `chunk` where they lie in it */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const packets: Buffer[] = [];
    let at = 0;
    for (;;) {
      if (!this.#synced) at = this.#findSync(bytes, at);
      if (!this.#synced || bytes.length - at < TS_PACKET_SIZE) break;
      if (bytes[at] === TS_SYNC_BYTE) {
        packets.push(bytes.subarray(at, at + TS_PACKET_SIZE));
        at += TS_PACKET_SIZE;
      } else {
        this.#synced = false;
        this.resyncs += 1;
      }
    }
    this.#pending = at === bytes.length ? NONE : Buffer.from(bytes.subarray(at));
    return packets;
  }

  /** The packets at the end of a stream, which too few others follow to be sure of them. */
  flush(): Buffer[] {
    const bytes = this.#pending;
    this.#pending = NONE;
    const packets: Buffer[] = [];
    for (let at = 0; at + TS_PACKET_SIZE <= bytes.length && bytes[at] === TS_SYNC_BYTE; at += TS_PACKET_SIZE) {
      packets.push(bytes.subarray(at, at + TS_PACKET_SIZE));
    }
    return packets;
  }

  /** @returns where packets begin, or where they may begin once more bytes are there */
  #findSync(bytes: Buffer, from: number): number {
    let at = bytes.indexOf(TS_SYNC_BYTE, from);
    while (at >= 0 && !mayBegin(bytes, at)) at = bytes.indexOf(TS_SYNC_BYTE, at + 1);
    const found = at < 0 ? bytes.length : at;
    this.#synced = found + (SYNC_PACKETS - 1) * TS_PACKET_SIZE < bytes.length;
    this.skippedBytes += found - from;
    return found;
  }
}

const NONE = Buffer.alloc(0);

function mayBegin(bytes: Buffer, at: number): boolean {
  for (let packet = 1; packet < SYNC_PACKETS; packet++) {
    const next = bytes[at + packet * TS_PACKET_SIZE];
    if (next === undefined) return true;
    if (next !== TS_SYNC_BYTE) return false;
  }
  return true;
}
