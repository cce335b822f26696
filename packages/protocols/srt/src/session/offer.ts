import { writeCapabilities } from '../wire/capabilities.js';
import { writeExtensionText } from '../wire/extension-text.js';
import { readFilterConfig, writeFilterConfig } from '../wire/filter-config.js';
import { EXTENSION, EXTENSION_FLAG, type Handshake, type HandshakeExtension } from '../wire/handshake.js';
import { KM_STATE } from '../wire/key-material.js';
import type { SequenceNumber } from '../wire/sequence.js';
import type { Timestamp } from '../wire/timestamp.js';
import type { ConnectionTerms } from './connection.js';
import { ReceiveKeys, SendKeys } from './keys.js';
import { REJECTION, SrtRejected } from './rejection.js';
import {
  agreedFilter,
  extension,
  OWN_FLAGS,
  OWN_VERSION,
  readConclusionExtensions,
  type SrtOptions,
  UDP_OVERHEAD,
} from './terms.js';

export interface OfferOptions {
  readonly own: SrtOptions;
  readonly initialSequence: SequenceNumber;
  readonly streamId: string;
  readonly passphrase: string | undefined;
  /** 16, 24 or 32. */
  readonly keyBytes: number;
  readonly random: (bytes: number) => Buffer;
}

/** What the side that begins a connection asks of the other one, and what the answer comes to. */
export class Offer {
  /** For the handshake's field of that name. */
  readonly encryption: number;
  readonly extensionField: number;
  readonly extensions: readonly HandshakeExtension[];
  readonly #options: OfferOptions;
  readonly #sendKeys: SendKeys | undefined;

  /** @throws {SrtError} `unsupported`: the packet filter is none */
  constructor(options: OfferOptions) {
    this.#options = options;
    const { own, streamId, passphrase, keyBytes, random } = options;
    const keys =
      passphrase === undefined
        ? undefined
        : new SendKeys({ passphrase, keyBytes, cipher: 'ctr', random, policy: own.keyRefresh });
    this.#sendKeys = keys;
    const { receiveLatency: receiverLatency, sendLatency: senderLatency, packetFilter } = own;
    const capabilities = { version: OWN_VERSION, flags: OWN_FLAGS, receiverLatency, senderLatency };
    const extensions = [extension(EXTENSION.hsreq, writeCapabilities(capabilities))];
    let flags: number = EXTENSION_FLAG.hsreq;
    if (keys !== undefined) {
      extensions.push(extension(EXTENSION.kmreq, keys.announcement));
      flags |= EXTENSION_FLAG.kmreq;
    }
    if (streamId !== '') extensions.push(extension(EXTENSION.streamId, writeExtensionText(streamId)));
    if (packetFilter !== undefined) {
      const text = writeFilterConfig(readFilterConfig(packetFilter));
      extensions.push(extension(EXTENSION.filter, writeExtensionText(text)));
    }
    if (streamId !== '' || packetFilter !== undefined) flags |= EXTENSION_FLAG.config;
    this.encryption = keys === undefined ? 0 : keyBytes / 8;
    this.extensionField = flags;
    this.extensions = extensions;
  }

  /**
   * What the other side's conclusion settles.
   *
   * @throws {SrtError} `rejected`, `unsupported` or `malformed`
   */
  settle(answer: Handshake, timestamp: Timestamp): ConnectionTerms {
    const { own, passphrase, initialSequence } = this.#options;
    const { capabilities, keyMaterial, filter } = readConclusionExtensions(answer);
    if (capabilities === undefined) throw new SrtRejected(REJECTION.rogue);
    return {
      peerId: answer.socketId,
      initialSequence,
      peerInitialSequence: answer.initialSequence,
      maxDatagram: Math.min(own.mtu, Math.max(answer.mtu, 256)) - UDP_OVERHEAD,
      flowWindow: Math.min(own.flowWindow, answer.flowWindow || own.flowWindow),
      receiveLatency: Math.max(own.receiveLatency, capabilities.senderLatency),
      sendLatency: Math.max(own.sendLatency, capabilities.receiverLatency),
      maxBandwidth: own.maxBandwidth,
      peerTimestamp: timestamp,
      periodicNak: true,
      tooLateDrop: true,
      filter: agreedFilter(own.packetFilter, filter),
      sendKeys: this.#sendKeys,
      receiveKeys: receiveKeysOf(passphrase, keyMaterial),
    };
  }
}

/** The answer repeats the key that was sent, or says by four bytes why it can't be used. */
function receiveKeysOf(passphrase: string | undefined, keyMaterial: Buffer | undefined): ReceiveKeys | undefined {
  if ((passphrase === undefined) !== (keyMaterial === undefined)) throw new SrtRejected(REJECTION.unsecure);
  if (passphrase === undefined || keyMaterial === undefined) return undefined;
  const isState = keyMaterial.length === 4;
  if (isState && keyMaterial.readUInt32BE(0) === KM_STATE.noSecret) throw new SrtRejected(REJECTION.unsecure);
  const keys = new ReceiveKeys(passphrase);
  if (isState || !keys.take(keyMaterial)) throw new SrtRejected(REJECTION.badSecret);
  return keys;
}
