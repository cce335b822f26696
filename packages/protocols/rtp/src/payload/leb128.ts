import { malformed } from '../errors.js';

/** Enough for 16 MiB and more; AV1 allows 8. */
const MOST_LEB128_BYTES = 8;

/** A little-endian number of 7 bits a byte, AV1 §4.10.5. */
export function leb128(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 0x80)) bytes.push(0x80 | (left & 0x7f));
  bytes.push(left);
  return Buffer.from(bytes);
}

export function leb128Length(value: number): number {
  let length = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 0x80)) length += 1;
  return length;
}

/** @throws {RtpError} `malformed` */
export function readLeb128(bytes: Buffer, offset: number): { readonly value: number; readonly length: number } {
  let value = 0;
  for (let index = 0; index < MOST_LEB128_BYTES; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw malformed('a length is cut off');
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return { value, length: index + 1 };
  }
  throw malformed(`a length of more than ${MOST_LEB128_BYTES} bytes`);
}
