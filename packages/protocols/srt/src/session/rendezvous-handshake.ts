import { HANDSHAKE_TYPE, type Handshake, handshakeAddress, REJECTION_BASE, SRT_MAGIC } from '../wire/handshake.js';
import type { SocketId } from '../wire/packet.js';
import type { Timestamp } from '../wire/timestamp.js';
import { type CallerOptions, type ClientHandshake, throwIfRejected } from './caller-handshake.js';
import type { ConnectionTerms } from './connection.js';
import { accept, readConclusion } from './listener-handshake.js';
import { Offer } from './offer.js';
import { REJECTION, SrtRejected } from './rejection.js';

export interface RendezvousOptions extends Omit<CallerOptions, 'streamId'> {
  /** By chance: of both sides, the one with the greater number begins. */
  readonly cookie: number;
}

/**
 * One of two equal sides, §4.3.2: both wave until they see each other; then the one with the greater cookie asks, the
 * other one answers, and the first agrees.
 */
export class RendezvousHandshake implements ClientHandshake {
  readonly #options: RendezvousOptions;
  readonly #offer: Offer;
  readonly #wave: Handshake;
  #message: Handshake;
  #destination = 0 as SocketId;
  #farewell: Handshake | undefined;
  /** Of the side that answers, when it has: the first to be heard afterwards makes it good. */
  #accepted: ConnectionTerms | undefined;

  /** @throws {SrtError} `unsupported` */
  constructor(options: RendezvousOptions) {
    this.#options = options;
    const { own, socketId, initialSequence, cookie, peer } = options;
    this.#offer = new Offer({ ...options, streamId: '' });
    this.#wave = {
      version: 5,
      encryption: this.#offer.encryption,
      extensionField: SRT_MAGIC,
      initialSequence,
      mtu: own.mtu,
      flowWindow: own.flowWindow,
      type: HANDSHAKE_TYPE.wavehand,
      socketId,
      cookie,
      peerAddress: handshakeAddress(peer.address),
      extensions: [],
    };
    this.#message = this.#wave;
  }

  get message(): Handshake {
    return this.#message;
  }

  get destination(): SocketId {
    return this.#destination;
  }

  get farewell(): Handshake | undefined {
    return this.#farewell;
  }

  receive(answer: Handshake, timestamp: Timestamp): ConnectionTerms | undefined {
    throwIfRejected(answer);
    if (answer.version < 5) throw new SrtRejected(REJECTION.version);
    const contest = (this.#options.cookie - answer.cookie) | 0;
    if (contest === 0) throw new SrtRejected(REJECTION.rendezvousCookie);
    this.#destination = answer.socketId;
    return contest > 0 ? this.#asInitiator(answer, timestamp) : this.#asResponder(answer, timestamp);
  }

  heard(): ConnectionTerms | undefined {
    return this.#accepted;
  }

  #asInitiator(answer: Handshake, timestamp: Timestamp): ConnectionTerms | undefined {
    const { encryption, extensionField, extensions } = this.#offer;
    if (answer.extensions.length === 0) {
      this.#message = { ...this.#conclusion(), encryption, extensionField, extensions };
      return undefined;
    }
    const terms = this.#offer.settle(answer, timestamp);
    this.#farewell = { ...this.#conclusion(), type: HANDSHAKE_TYPE.agreement };
    return terms;
  }

  #asResponder(answer: Handshake, timestamp: Timestamp): ConnectionTerms | undefined {
    if (answer.type === HANDSHAKE_TYPE.agreement) return this.#accepted;
    if (answer.extensions.length === 0) {
      this.#message = this.#conclusion();
      return undefined;
    }
    if (this.#accepted !== undefined) return undefined;
    const { own, socketId, peer, passphrase, random, initialSequence } = this.#options;
    const conclusion = readConclusion(answer);
    const accepted =
      typeof conclusion === 'number'
        ? conclusion
        : accept(conclusion, { own, socketId, peer, timestamp, passphrase, random, initialSequence });
    if (typeof accepted === 'number') {
      this.#farewell = { ...this.#conclusion(), type: REJECTION_BASE + accepted };
      throw new SrtRejected(accepted);
    }
    this.#accepted = accepted.terms;
    this.#message = { ...accepted.answer, cookie: this.#options.cookie };
    return undefined;
  }

  #conclusion(): Handshake {
    return { ...this.#wave, extensionField: 0, type: HANDSHAKE_TYPE.conclusion };
  }
}
