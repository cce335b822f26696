import { SrtError } from '../errors.js';
import { HANDSHAKE_TYPE, type Handshake, handshakeAddress, REJECTION_BASE, SRT_MAGIC } from '../wire/handshake.js';
import type { SocketId } from '../wire/packet.js';
import type { Timestamp } from '../wire/timestamp.js';
import type { ConnectionTerms } from './connection.js';
import type { PeerAddress } from './listener-handshake.js';
import { Offer, type OfferOptions } from './offer.js';
import { SrtRejected } from './rejection.js';

export interface CallerOptions extends OfferOptions {
  readonly socketId: SocketId;
  readonly peer: PeerAddress;
}

/** The side of a handshake that is not a listener's, as who has the socket sees it. */
export interface ClientHandshake {
  /** What is to be sent now, and again until there is an answer. */
  readonly message: Handshake;
  /** Who the message is for: 0 for a peer that has said nothing yet. */
  readonly destination: SocketId;
  /** To be sent once, when the connection stands. */
  readonly farewell: Handshake | undefined;
  /**
   * Takes an answer.
   *
   * @returns the terms when the connection stands
   * @throws {SrtError} `rejected`, `unsupported` or `malformed`
   */
  receive(answer: Handshake, timestamp: Timestamp): ConnectionTerms | undefined;
  /** The peer has sent something that is no handshake. @returns the terms when that says that the connection stands */
  heard(): ConnectionTerms | undefined;
}

/** A caller's side of the handshake, §4.3.1: induction, conclusion, done. */
export class CallerHandshake implements ClientHandshake {
  readonly destination = 0 as SocketId;
  readonly farewell = undefined;
  readonly #offer: Offer;
  #message: Handshake;

  /** @throws {SrtError} `unsupported` */
  constructor(options: CallerOptions) {
    const { own, socketId, initialSequence, peer } = options;
    this.#offer = new Offer(options);
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

  get message(): Handshake {
    return this.#message;
  }

  receive(answer: Handshake, timestamp: Timestamp): ConnectionTerms | undefined {
    if (answer.type === HANDSHAKE_TYPE.induction) {
      this.#conclude(answer);
      return undefined;
    }
    if (answer.type === HANDSHAKE_TYPE.conclusion) return this.#offer.settle(answer, timestamp);
    throwIfRejected(answer);
    return undefined;
  }

  heard(): undefined {
    return undefined;
  }

  #conclude({ version, extensionField, cookie }: Handshake): void {
    if (version < 5 || extensionField !== SRT_MAGIC) {
      throw new SrtError('unsupported', 'the listener speaks a version of SRT from before 1.3');
    }
    const { encryption, extensionField: flags, extensions } = this.#offer;
    this.#message = {
      ...this.#message,
      version: 5,
      encryption,
      extensionField: flags,
      type: HANDSHAKE_TYPE.conclusion,
      cookie,
      extensions,
    };
  }
}

/** @throws {SrtRejected} where the other side says no */
export function throwIfRejected({ type }: Handshake): void {
  if (type >= REJECTION_BASE && type < HANDSHAKE_TYPE.agreement) throw new SrtRejected(type - REJECTION_BASE);
}
