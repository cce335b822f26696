import { TS_PACKET_SIZE, TS_SYNC_BYTE } from './packet.js';
import { parsePacketHeader } from './packet-header.js';
import { readPesPts } from './pes-reader.js';

/** Presentation times of one PID, as 33 bits of 90 kHz, in the order of their packets. */
export interface TsTimes {
  readonly pid: number;
  /** Whether the PES packets say that they are video or audio; those of other data may be far between. */
  readonly isMedia: boolean;
  readonly pts: readonly number[];
}

/** The start code, flags, and a PTS. */
const PES_HEAD = 14;
const START_CODE = 1;
/** Of audio (0xc0 to 0xdf) and video (0xe0 to 0xef), ISO 13818-1 table 2-22. */
const FIRST_MEDIA_ID = 0xc0;
const LAST_MEDIA_ID = 0xef;
const PRIVATE_STREAM_1 = 0xbd;

/** @returns bytes up to the end of the last whole packet; 0 where there is none. `bytes` begin with a packet. */
export function wholeTsPackets(bytes: Buffer): number {
  let end = bytes.length - (bytes.length % TS_PACKET_SIZE);
  while (end > 0 && bytes[end - TS_PACKET_SIZE] !== TS_SYNC_BYTE) end -= TS_PACKET_SIZE;
  return end;
}

/** When what begins in a part of a transport stream is shown. @param bytes whole packets */
export function scanTsTimes(bytes: Buffer): TsTimes[] {
  const found = new Map<number, { readonly pid: number; readonly isMedia: boolean; readonly pts: number[] }>();
  for (let at = 0; at + TS_PACKET_SIZE <= bytes.length; at += TS_PACKET_SIZE) {
    if (bytes[at] !== TS_SYNC_BYTE) continue;
    const packet = bytes.subarray(at, at + TS_PACKET_SIZE);
    const { pid, unitStart, scrambled, transportError, payloadAt } = parsePacketHeader(packet);
    if (!unitStart || scrambled || transportError || payloadAt + PES_HEAD > TS_PACKET_SIZE) continue;
    if (packet.readUIntBE(payloadAt, 3) !== START_CODE) continue;
    const id = packet[payloadAt + 3] ?? 0;
    const isMedia = id >= FIRST_MEDIA_ID && id <= LAST_MEDIA_ID;
    const pts = isMedia || id === PRIVATE_STREAM_1 ? readPesPts(packet.subarray(payloadAt)) : undefined;
    if (pts === undefined) continue;
    const times = found.get(pid) ?? { pid, isMedia, pts: [] };
    times.pts.push(pts);
    found.set(pid, times);
  }
  return [...found.values()];
}
