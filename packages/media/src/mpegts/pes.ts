const START_CODE_PREFIX = [0, 0, 1] as const;
const MARKER_AND_ALIGNED = 0x84;
const PTS_ONLY = 0x80;
const PTS_AND_DTS = 0xc0;
const TIMESTAMP_SIZE = 5;
/** Bytes behind PES_packet_length before the payload, without timestamps. */
const FLAGS_SIZE = 3;
const MAX_LENGTH = 0xffff;

/** A PES packet, ISO 13818-1 §2.4.3.6. Times are 90 kHz ticks of 33 bits. */
export function encodePes(
  streamId: number,
  times: { readonly pts: number; readonly dts: number },
  payload: readonly Buffer[],
  options: { readonly unbounded: boolean },
): Buffer {
  const hasDts = times.dts !== times.pts;
  const headerData = hasDts ? 2 * TIMESTAMP_SIZE : TIMESTAMP_SIZE;
  let size = FLAGS_SIZE + headerData;
  for (const part of payload) size += part.length;
  const length = options.unbounded || size > MAX_LENGTH ? 0 : size;
  const header = Buffer.allocUnsafe(6 + FLAGS_SIZE + headerData);
  header.set([...START_CODE_PREFIX, streamId, length >> 8, length & 0xff]);
  header.set([MARKER_AND_ALIGNED, hasDts ? PTS_AND_DTS : PTS_ONLY, headerData], 6);
  writeTimestamp(header, 9, hasDts ? 3 : 2, times.pts);
  if (hasDts) writeTimestamp(header, 14, 1, times.dts);
  return Buffer.concat([header, ...payload]);
}

function writeTimestamp(bytes: Buffer, at: number, prefix: number, ticks: number): void {
  const high = Math.floor(ticks / 0x4000_0000) & 7;
  bytes[at] = (prefix << 4) | (high << 1) | 1;
  bytes.writeUInt16BE((Math.floor(ticks / 0x8000) & 0x7fff) * 2 + 1, at + 1);
  bytes.writeUInt16BE((ticks & 0x7fff) * 2 + 1, at + 3);
}
