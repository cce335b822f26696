import { MediaError } from '../errors.js';

/** A language as MP4 files tell it. */
export interface LanguageCode {
  /** Three letters in 5 bits each. ISO 14496-12 §8.4.2.3 */
  readonly packed: number;
  /** A tag of BCP 47, where three letters don't say it. ISO 14496-12 §8.4.6 */
  readonly extended?: string;
}

const UNDETERMINED = 'und';
const ISO_639_2 = /^[a-z]{3}$/;
const BCP_47 = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/;
const LETTER_BASE = 0x60;

/**
 * ISO 639-2 is packed. Any other tag is written out, and `und` is packed for readers that don't know the longer form.
 *
 * @throws {MediaError} `malformed` for what is no language tag
 */
export function languageCode(language: string): LanguageCode {
  if (ISO_639_2.test(language)) return { packed: pack(language) };
  if (!BCP_47.test(language)) {
    throw new MediaError('malformed', `the language ${JSON.stringify(language)}; give one like eng or pt-BR`);
  }
  return { packed: pack(UNDETERMINED), extended: language };
}

function pack(letters: string): number {
  return [...Buffer.from(letters, 'latin1')].reduce((bits, letter) => (bits << 5) | (letter - LETTER_BASE), 0);
}

/** The three letters of a packed code; undefined where it holds none, or `und`. */
export function unpackLanguage(packed: number): string | undefined {
  const letters = [10, 5, 0].map((shift) => String.fromCharCode(((packed >> shift) & 0x1f) + LETTER_BASE)).join('');
  return ISO_639_2.test(letters) && letters !== UNDETERMINED ? letters : undefined;
}
