import { RtmpError } from '../errors.js';

/** Where and when a message goes. */
export interface MessageHeader {
  /** 2 to 63. */
  readonly chunkStreamId: number;
  readonly type: number;
  /** Milliseconds; the low 32 bits count. */
  readonly timestamp: number;
  readonly messageStreamId: number;
}

const FULL_HEADER = 12;
const EXTENDED_TIMESTAMP = 0xff_ffff;
const CONTINUATION = 0xc0;
/** The length field has 24 bits, RTMP §5.3.1.2.1. */
const MAX_LENGTH = 0xff_ffff;

/**
 * A message as chunks: a full header (format 0), and format 3 for what follows. It depends on no message before it,
 * so that the same bytes serve every player. RTMP §5.3.1.
 */
export function encodeMessage(header: MessageHeader, chunkSize: number, ...payloadParts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of payloadParts) length += part.length;
  if (length > MAX_LENGTH) throw new RtmpError('too-large', `a message of ${length} bytes; ${MAX_LENGTH} can be sent`);
  const time = header.timestamp >>> 0;
  const extended = time >= EXTENDED_TIMESTAMP;
  const extendedSize = extended ? 4 : 0;
  const continuations = length === 0 ? 0 : Math.ceil(length / chunkSize) - 1;
  const size = FULL_HEADER + extendedSize + length + continuations * (1 + extendedSize);
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = header.chunkStreamId;
  bytes.writeUIntBE(extended ? EXTENDED_TIMESTAMP : time, 1, 3);
  bytes.writeUIntBE(length, 4, 3);
  bytes[7] = header.type;
  bytes.writeUInt32LE(header.messageStreamId, 8);
  let position = FULL_HEADER;
  if (extended) position = bytes.writeUInt32BE(time, position);
  let room = chunkSize;
  for (const part of payloadParts) {
    for (let from = 0; from < part.length; ) {
      if (room === 0) {
        bytes[position++] = CONTINUATION | header.chunkStreamId;
        if (extended) position = bytes.writeUInt32BE(time, position);
        room = chunkSize;
      }
      const taken = Math.min(room, part.length - from);
      part.copy(bytes, position, from, from + taken);
      position += taken;
      from += taken;
      room -= taken;
    }
  }
  return bytes;
}
