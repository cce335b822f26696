/** Behind the FLV video header (5 bytes) and the NAL unit's length (4): SEI, user data, and our word. */
const MARK = Buffer.from([0x06, 0x05, 0x66, 0x61, 0x6e, 0x21]);
const VIDEO_HEADER = 5;
const NAL_LENGTH_SIZE = 4;
const MARK_AT = VIDEO_HEADER + NAL_LENGTH_SIZE;
const SEQUENCE_AT = MARK_AT + MARK.length;
const FILLER = Buffer.from([0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x80]);
const NAL_BYTES = MARK.length + 4 + FILLER.length;

const AVC = 7;
const AVC_NAL_UNITS = 1;

/** The first bytes of a video message that are needed to read the mark. */
export const MARK_HEAD = SEQUENCE_AT + 4;
/** By how much the mark makes an access unit longer. */
export const MARK_BYTES = NAL_LENGTH_SIZE + NAL_BYTES;

/** Whether an FLV video tag's body is an H.264 access unit, and not a sequence header or end. */
export function isAccessUnit(body: Buffer): boolean {
  return body.length >= VIDEO_HEADER && ((body[0] ?? 0) & 15) === AVC && body[1] === AVC_NAL_UNITS;
}

/** Whether an FLV video tag's body is a keyframe, by its first byte. FLV §E.4.3.1. */
export function isKeyframe(firstByte: number): boolean {
  return ((firstByte >> 4) & 7) === 1;
}

/** The access unit with an SEI NAL unit at its head that carries the sequence number (32 bits). */
export function markAccessUnit(body: Buffer, sequence: number): Buffer {
  const marked = Buffer.allocUnsafe(body.length + MARK_BYTES);
  body.copy(marked, 0, 0, VIDEO_HEADER);
  marked.writeUInt32BE(NAL_BYTES, VIDEO_HEADER);
  MARK.copy(marked, MARK_AT);
  marked.writeUInt32BE(sequence, SEQUENCE_AT);
  FILLER.copy(marked, SEQUENCE_AT + 4);
  body.copy(marked, VIDEO_HEADER + MARK_BYTES, VIDEO_HEADER);
  return marked;
}

/** The sequence number of a video message that begins at `offset`, of which MARK_HEAD bytes are there; -1 if it has none. */
export function readMark(bytes: Buffer, offset: number): number {
  for (let i = 0; i < MARK.length; i++) if (bytes[offset + MARK_AT + i] !== MARK[i]) return -1;
  return bytes.readUInt32BE(offset + SEQUENCE_AT);
}
