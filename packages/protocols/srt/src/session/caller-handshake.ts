import { SrtError } from '../errors.js';
import { writeCapabilities } from '../wire/capabilities.js';
import { writeExtensionText } from '../wire/extension-text.js';
import {
  EXTENSION,
  EXTENSION_FLAG,
  HANDSHAKE_TYPE,
  type Handshake,
  handshakeAddress,
  REJECTION_BASE,
  SRT_MAGIC,
} from '../wire/handshake.js';
import { KM_STATE } from '../wire/key-material.js';
import type { SocketId } from '../wire/packet.js';
import type { SequenceNumber } from '../wire/sequence.js';
import type { Timestamp } from '../wire/timestamp.js';
import type { ConnectionTerms } from './connection.js';
import { ReceiveKeys, SendKeys } from './keys.js';
import type { PeerAddress } from './listener-handshake.js';
import { REJECTION, rejectionName } from './rejection.js';
import { extension, OWN_FLAGS, OWN_VERSION, readConclusionExtensions, type SrtOptions, UDP_OVERHEAD } from './terms.js';

export interface CallerOptions {
  readonly own: SrtOptions;
  readonly socketId: SocketId;
  readonly initialSequence: SequenceNumber;
  readonly peer: PeerAddress;
  readonly streamId: string;
  readonly passphrase: string | undefined;
  /** 16, 24 or 32. */
  readonly keyBytes: number;
  readonly random: (bytes: number) => Buffer;
}

/** The listener said no. */
export class SrtRejected extends SrtError {
  readonly rejection: number;

  constructor(rejection: number) {
    super('rejected', `the listener refused: ${rejectionName(rejection)} (${rejection})`);
    this.rejection = rejection;
  }
}

/** A caller's side of the handshake, §4.3.1: induction, conclusion, done. */
export class CallerHandshake {
  readonly #options: CallerOptions;
  readonly #sendKeys: SendKeys | undefined;
  #message: Handshake;

  constructor(options: CallerOptions) {
    this.#options = options;
    const { passphrase, keyBytes, random, own, socketId, initialSequence, peer } = options;
    this.#sendKeys =
      passphrase === undefined ? undefined : new SendKeys({ passphrase, keyBytes, cipher: 'ctr', random });
    this.#message = {
      version: 4,
      encryption: 0,
      // A version 4 socket of datagrams.
      extensionField: 2,
      initialSequence,
      mtu: own.mtu,
      flowWindow: own.flowWindow,
      type: HANDSHAKE_TYPE.induction,
      socketId,
      cookie: 0,
      peerAddress: handshakeAddress(peer.address),
      extensions: [],
    };
  }

  /** What is to be sent now, and again until there is an answer. */
  get message(): Handshake {
    return this.#message;
  }

  /**
   * Takes an answer.
   *
   * @returns the terms when the connection stands
   * @throws {SrtError} `rejected`, `unsupported` or `malformed`
   */
  receive(answer: Handshake, timestamp: Timestamp): ConnectionTerms | undefined {
    if (answer.type === HANDSHAKE_TYPE.induction) {
      this.#conclude(answer);
      return undefined;
    }
    if (answer.type === HANDSHAKE_TYPE.conclusion) return this.#terms(answer, timestamp);
    if (answer.type >= REJECTION_BASE && answer.type < HANDSHAKE_TYPE.agreement) {
      throw new SrtRejected(answer.type - REJECTION_BASE);
    }
    return undefined;
  }

  #conclude({ version, extensionField, cookie }: Handshake): void {
    if (version < 5 || extensionField !== SRT_MAGIC) {
      throw new SrtError('unsupported', 'the listener speaks a version of SRT from before 1.3');
    }
    const { own, streamId } = this.#options;
    const capabilities = writeCapabilities({
      version: OWN_VERSION,
      flags: OWN_FLAGS,
      receiverLatency: own.receiveLatency,
      senderLatency: own.sendLatency,
    });
    const extensions = [extension(EXTENSION.hsreq, capabilities)];
    let flags: number = EXTENSION_FLAG.hsreq;
    if (this.#sendKeys !== undefined) {
      extensions.push(extension(EXTENSION.kmreq, this.#sendKeys.announcement));
      flags |= EXTENSION_FLAG.kmreq;
    }
    if (streamId !== '') {
      extensions.push(extension(EXTENSION.streamId, writeExtensionText(streamId)));
      flags |= EXTENSION_FLAG.config;
    }
    this.#message = {
      ...this.#message,
      version: 5,
      encryption: this.#sendKeys === undefined ? 0 : this.#options.keyBytes / 8,
      extensionField: flags,
      type: HANDSHAKE_TYPE.conclusion,
      cookie,
      extensions,
    };
  }

  #terms(answer: Handshake, timestamp: Timestamp): ConnectionTerms {
    const { own, passphrase, initialSequence } = this.#options;
    const { capabilities, keyMaterial } = readConclusionExtensions(answer);
    if (capabilities === undefined) throw new SrtRejected(REJECTION.rogue);
    if ((passphrase === undefined) !== (keyMaterial === undefined)) throw new SrtRejected(REJECTION.unsecure);
    let receiveKeys: ReceiveKeys | undefined;
    if (passphrase !== undefined && keyMaterial !== undefined) {
      receiveKeys = new ReceiveKeys(passphrase);
      const isState = keyMaterial.length === 4;
      if (isState && keyMaterial.readUInt32BE(0) === KM_STATE.noSecret) throw new SrtRejected(REJECTION.unsecure);
      if (isState || !receiveKeys.take(keyMaterial)) throw new SrtRejected(REJECTION.badSecret);
    }
    return {
      peerId: answer.socketId,
      initialSequence,
      peerInitialSequence: answer.initialSequence,
      maxDatagram: Math.min(own.mtu, Math.max(answer.mtu, 256)) - UDP_OVERHEAD,
      flowWindow: Math.min(own.flowWindow, answer.flowWindow || own.flowWindow),
      receiveLatency: Math.max(own.receiveLatency, capabilities.senderLatency),
      sendLatency: Math.max(own.sendLatency, capabilities.receiverLatency),
      peerTimestamp: timestamp,
      periodicNak: true,
      tooLateDrop: true,
      sendKeys: this.#sendKeys,
      receiveKeys,
    };
  }
}
