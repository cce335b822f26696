/** FIN and opcode 2, RFC 6455 §5.2. */
const FINAL_BINARY = 0x82;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** One unmasked binary frame around the parts: the same bytes for every client. RFC 6455 §5.2. */
export function webSocketFrame(parts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const headerSize = length < LENGTH_16 ? 2 : length < 0x1_0000 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerSize + length);
  frame[0] = FINAL_BINARY;
  if (headerSize === 2) frame[1] = length;
  else if (headerSize === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  let position = headerSize;
  for (const part of parts) position += part.copy(frame, position);
  return frame;
}
