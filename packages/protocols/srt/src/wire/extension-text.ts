/** §3.2.1.3: 512 bytes at most. */
export const MAX_STREAM_ID_BYTES = 512;

/** Reads the text of a StreamID, congestion or filter extension: 32-bit words with the lowest byte first, zeros behind. */
export function readExtensionText(content: Buffer): string {
  const swapped = Buffer.from(content.subarray(0, content.length - (content.length % 4))).swap32();
  const end = swapped.indexOf(0);
  return swapped.toString('utf8', 0, end < 0 ? swapped.length : end);
}

export function writeExtensionText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  bytes.copy(padded);
  return padded.swap32();
}
