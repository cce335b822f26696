const POLYNOMIAL = 0x04c1_1db7;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value & 0x8000_0000) === 0 ? value << 1 : (value << 1) ^ POLYNOMIAL;
  return value >>> 0;
});

/** The checksum of PSI sections, ISO 13818-1 Annex A. Over a section with its CRC it is 0. */
export function crc32Mpeg(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = ((crc << 8) ^ (TABLE[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  return crc;
}
