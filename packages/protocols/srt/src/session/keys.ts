import { keyEncryptingKey, unwrapKeys, wrapKeys } from '../crypto/key-exchange.js';
import { type PayloadCipher, payloadCipher, type StreamKey } from '../crypto/payload-cipher.js';
import { type Cipher, type KeyMaterial, readKeyMaterial, writeKeyMaterial } from '../wire/key-material.js';
import type { KeySlot } from '../wire/packet.js';
import type { SequenceNumber } from '../wire/sequence.js';

type Slot = Exclude<KeySlot, 'none'>;

/** Keys after so many packets, §6.1.6: announced some packets before, and kept as many after. */
export interface RefreshPolicy {
  readonly packets: number;
  readonly preAnnounce: number;
}

export const DEFAULT_REFRESH: RefreshPolicy = { packets: 0x100_0000, preAnnounce: 0x1000 };

const other = (slot: Slot): Slot => (slot === 'even' ? 'odd' : 'even');

export interface SendKeysOptions {
  readonly passphrase: string;
  readonly keyBytes: number;
  readonly cipher: Cipher;
  readonly random: (bytes: number) => Buffer;
  readonly policy?: RefreshPolicy | undefined;
}

/** The keys with which a side sends: makes them, announces the next one in time, and goes over to it. */
export class SendKeys {
  readonly #keyEncrypting: Buffer;
  readonly #salt: Buffer;
  readonly #keyBytes: number;
  readonly #random: (bytes: number) => Buffer;
  readonly #policy: RefreshPolicy;
  readonly #kind: Cipher;
  readonly #cipher: PayloadCipher;
  readonly #keys: Record<Slot, StreamKey | undefined> = { even: undefined, odd: undefined };
  #slot: Slot = 'even';
  #sent = 0;
  #announcement: Buffer;

  constructor(options: SendKeysOptions & { salt?: Buffer }) {
    this.#random = options.random;
    this.#keyBytes = options.keyBytes;
    this.#kind = options.cipher;
    this.#cipher = payloadCipher(options.cipher);
    this.#policy = options.policy ?? DEFAULT_REFRESH;
    this.#salt = options.salt ?? this.#random(16);
    this.#keyEncrypting = keyEncryptingKey(options.passphrase, this.#salt, options.keyBytes);
    this.#announcement = this.#make('even');
  }

  /**
   * A listener sends with the key that its caller brought.
   *
   * @returns undefined where the passphrase is another one
   */
  static adopt(options: {
    passphrase: string;
    material: KeyMaterial;
    random: (bytes: number) => Buffer;
    policy?: RefreshPolicy | undefined;
  }): SendKeys | undefined {
    const { passphrase, material, random, policy } = options;
    const { keyBytes, cipher, wrapped } = material;
    const salt = Buffer.from(material.salt);
    const keys = unwrapKeys(keyEncryptingKey(passphrase, salt, keyBytes), wrapped);
    if (keys === undefined) return undefined;
    const adopted = new SendKeys({
      passphrase,
      keyBytes,
      cipher,
      random,
      salt,
      ...(policy === undefined ? {} : { policy }),
    });
    adopted.#slot = material.keys === 'odd' ? 'odd' : 'even';
    adopted.#keys[adopted.#slot] = { key: keys.subarray(0, keyBytes), salt };
    return adopted;
  }

  /** The key material message that the peer has to have: at first, and again when `encrypt` says so. */
  get announcement(): Buffer {
    return this.#announcement;
  }

  get slot(): Slot {
    return this.#slot;
  }

  /** Counts a packet that is about to be sent. @returns whether there is a new announcement for the peer */
  count(): boolean {
    this.#sent += 1;
    const { packets, preAnnounce } = this.#policy;
    if (this.#sent === packets - preAnnounce) {
      this.#announcement = this.#make(other(this.#slot));
      return true;
    }
    if (this.#sent >= packets) {
      this.#slot = other(this.#slot);
      this.#sent = 0;
    }
    return false;
  }

  /** @param header as it is sent the first time */
  encrypt(number: SequenceNumber, payload: Buffer, header: Buffer): Buffer {
    const key = this.#keys[this.#slot];
    return key === undefined ? payload : this.#cipher.encrypt(key, number, payload, header);
  }

  #make(slot: Slot): Buffer {
    const key = this.#random(this.#keyBytes);
    this.#keys[slot] = { key, salt: this.#salt };
    const wrapped = wrapKeys(this.#keyEncrypting, key);
    return writeKeyMaterial({ keys: slot, cipher: this.#kind, salt: this.#salt, keyBytes: this.#keyBytes, wrapped });
  }
}

/** The keys that a peer sends with, as it announces them. */
export class ReceiveKeys {
  readonly #passphrase: string;
  readonly #keys: Record<Slot, StreamKey | undefined> = { even: undefined, odd: undefined };
  #cipher: PayloadCipher = payloadCipher('ctr');
  #known: { readonly salt: Buffer; readonly keyBytes: number; readonly keyEncrypting: Buffer } | undefined;

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  /**
   * Takes an announcement.
   *
   * @returns false where the passphrase is another one
   * @throws {SrtError} `malformed`
   */
  take(content: Buffer): boolean {
    const material = readKeyMaterial(content);
    const keys = unwrapKeys(this.#keyEncryptingFor(material), material.wrapped);
    if (keys === undefined) return false;
    const { keyBytes, salt: shownSalt } = material;
    const salt = Buffer.from(shownSalt);
    this.#cipher = payloadCipher(material.cipher);
    const [first, second] = [keys.subarray(0, keyBytes), keys.subarray(keyBytes)];
    if (material.keys !== 'odd') this.#keys.even = { key: first, salt };
    if (material.keys === 'odd') this.#keys.odd = { key: first, salt };
    if (material.keys === 'both') this.#keys.odd = { key: second, salt };
    return true;
  }

  /** @returns undefined where there is no such key, or the packet was tampered with */
  decrypt(slot: Slot, number: SequenceNumber, payload: Buffer, header: Buffer): Buffer | undefined {
    const key = this.#keys[slot];
    return key === undefined ? undefined : this.#cipher.decrypt(key, number, payload, header);
  }

  /** Deriving it takes a millisecond; the salt stays for as long as a connection. */
  #keyEncryptingFor({ salt, keyBytes }: KeyMaterial): Buffer {
    const known = this.#known;
    if (known !== undefined && known.keyBytes === keyBytes && known.salt.equals(salt)) return known.keyEncrypting;
    const keyEncrypting = keyEncryptingKey(this.#passphrase, salt, keyBytes);
    this.#known = { salt: Buffer.from(salt), keyBytes, keyEncrypting };
    return keyEncrypting;
  }
}
