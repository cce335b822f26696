import { createCipheriv } from 'node:crypto';
import type { EncryptionMethod, Segment, SegmentKey } from './segment.js';

/** What samples are encrypted with by `cbcs`: 16 bytes each. */
export interface SampleSecret {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly keyId: Buffer;
}

export interface SegmentKeysOptions {
  readonly method: EncryptionMethod;
  /** A new key after so many segments; 0: never. */
  readonly rotateAfter: number;
  /** Bytes that nobody can guess. */
  readonly random: (size: number) => Buffer;
  /** Whether a segment can still be had. */
  readonly isHeld: (segment: number) => boolean;
}

interface Entry {
  readonly key: SegmentKey;
  readonly secret: SampleSecret;
  readonly first: number;
  last: number;
}

/** Of AES-128: its key, its block and its IV. */
const SIZE = 16;

/**
 * The keys of one output's segments, RFC 8216 §4.3.2.4. The secret part of each is held as long as a segment that it
 * opens can be had, and is given out to those only who ask for it by number.
 */
export class SegmentKeys {
  readonly #options: SegmentKeysOptions;
  readonly #entries = new Map<number, Entry>();
  #current: Entry | undefined;

  constructor(options: SegmentKeysOptions) {
    this.#options = options;
  }

  get method(): EncryptionMethod {
    return this.#options.method;
  }

  /**
   * The key that a segment is encrypted with: a new one where the last has done its share.
   *
   * @param number of the segment; they come in order
   * @param mayChange false where the segment has to go with the key of the one before it
   */
  keyOf(number: number, mayChange = true): SegmentKey {
    const { rotateAfter } = this.#options;
    const current = this.#current;
    const isUsedUp = current !== undefined && rotateAfter > 0 && number - current.first >= rotateAfter;
    if (current === undefined || (isUsedUp && mayChange)) return this.#make(number).key;
    current.last = number;
    return current.key;
  }

  /** Throws for what is no key of this output: it is only asked for those that `keyOf` has given. */
  secretOf({ number }: SegmentKey): SampleSecret {
    const entry = this.#entries.get(number);
    if (entry === undefined) throw new Error(`key ${number} is no longer held`);
    return entry.secret;
  }

  /** The key itself, as players fetch it. @returns undefined where no segment needs it any more */
  bytes(number: number): Buffer | undefined {
    this.#forgetOld();
    return this.#entries.get(number)?.secret.key;
  }

  /** A whole segment by AES-128-CBC, with its number as IV. RFC 8216 §5.2. */
  encrypt(segment: Segment): Segment {
    const key = this.keyOf(segment.number);
    const iv = Buffer.alloc(SIZE);
    iv.writeBigUInt64BE(BigInt(segment.number), SIZE / 2);
    const cipher = createCipheriv('aes-128-cbc', this.secretOf(key).key, iv);
    return { ...segment, key, bytes: Buffer.concat([cipher.update(segment.bytes), cipher.final()]) };
  }

  #make(first: number): Entry {
    this.#forgetOld();
    const { method, random } = this.#options;
    const secret = { key: random(SIZE), iv: random(SIZE), keyId: random(SIZE) };
    const number = (this.#current?.key.number ?? -1) + 1;
    const key = method === 'AES-128' ? { number, method } : { number, method, iv: secret.iv };
    const entry = { key, secret, first, last: first };
    this.#entries.set(number, entry);
    this.#current = entry;
    return entry;
  }

  #forgetOld(): void {
    for (const [number, entry] of this.#entries) {
      if (entry !== this.#current && !this.#options.isHeld(entry.last)) this.#entries.delete(number);
    }
  }
}
