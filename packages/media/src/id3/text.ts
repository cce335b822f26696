import { MediaError } from '../errors.js';

/** Encodings of text, ID3v2.4.0 structure §4, by their numbers. */
const DECODERS: readonly (readonly [label: string, unit: 1 | 2])[] = [
  ['latin1', 1],
  ['utf-16le', 2],
  ['utf-16be', 2],
  ['utf-8', 1],
];
const BYTE_ORDER_BIG = 0xfe;

/** Text up to its end, or to the null that ends it. @throws {MediaError} `malformed` for an unknown encoding */
export function readText(bytes: Buffer, encoding: number): string {
  return terminatedText(bytes, encoding).text;
}

/** Text up to the null that ends it, and what is behind. @throws {MediaError} `malformed` for an unknown encoding */
export function terminatedText(bytes: Buffer, encoding: number): { text: string; rest: Buffer } {
  const [label, unit] = decoderFor(bytes, encoding);
  let end = 0;
  while (end + unit <= bytes.length && !isNull(bytes, end, unit)) end += unit;
  const text = new TextDecoder(label).decode(bytes.subarray(0, end));
  return { text, rest: bytes.subarray(Math.min(end + unit, bytes.length)) };
}

function decoderFor(bytes: Buffer, encoding: number): readonly [label: string, unit: 1 | 2] {
  const decoder = DECODERS[encoding];
  if (decoder === undefined) throw new MediaError('malformed', `ID3 text encoding ${encoding}; 0 to 3 are known`);
  return encoding === 1 && bytes[0] === BYTE_ORDER_BIG ? ['utf-16be', 2] : decoder;
}

function isNull(bytes: Buffer, at: number, unit: 1 | 2): boolean {
  return bytes[at] === 0 && (unit === 1 || bytes[at + 1] === 0);
}
