const HEADER = 8;
/** The largest size that a box header of 8 bytes tells. */
export const MAX_UINT32 = 0xffff_ffff;

/** A box of its type and contents. ISO 14496-12 §4.2. */
export function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(parts.reduce((total, part) => total + part.length, HEADER));
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...parts]);
}

/** A box with a version and 24 bits of flags in front of its contents. ISO 14496-12 §4.2. */
export function fullBox(type: string, version: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  return box(type, u32(version * 2 ** 24 + flags), ...parts);
}

export const u8 = (...values: readonly number[]): Buffer => Buffer.from(values);

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 2);
  values.forEach((value, index) => {
    bytes.writeUInt16BE(value, index * 2);
  });
  return bytes;
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, index * 4);
  });
  return bytes;
}

/** @param value whole, 0 to 2^53 - 1 */
export function u64(value: number): Buffer {
  return u32(Math.floor(value / 2 ** 32), value % 2 ** 32);
}

/** A string with the zero byte that ends it. */
export const cString = (text: string): Buffer => Buffer.from(`${text}\0`);

export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A matrix that turns and scales nothing, ISO 14496-12 §8.2.2.2. */
export const IDENTITY_MATRIX = u32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);
