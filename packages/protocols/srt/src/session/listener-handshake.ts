import { createHmac, timingSafeEqual } from 'node:crypto';
import { SrtError } from '../errors.js';
import { CAPABILITY, writeCapabilities } from '../wire/capabilities.js';
import { writeExtensionText } from '../wire/extension-text.js';
import { type FecConfig, writeFilterConfig } from '../wire/filter-config.js';
import {
  EXTENSION,
  EXTENSION_FLAG,
  HANDSHAKE_TYPE,
  type Handshake,
  handshakeAddress,
  REJECTION_BASE,
  SRT_MAGIC,
} from '../wire/handshake.js';
import { readKeyMaterial } from '../wire/key-material.js';
import type { SocketId } from '../wire/packet.js';
import type { SequenceNumber } from '../wire/sequence.js';
import type { Timestamp } from '../wire/timestamp.js';
import type { ConnectionTerms } from './connection.js';
import { ReceiveKeys, SendKeys } from './keys.js';
import { REJECTION } from './rejection.js';
import {
  agreedFilter,
  type ConclusionExtensions,
  extension,
  OWN_FLAGS,
  OWN_VERSION,
  readConclusionExtensions,
  type SrtOptions,
  UDP_OVERHEAD,
} from './terms.js';

/** Where a datagram came from. */
export interface PeerAddress {
  readonly address: string;
  readonly port: number;
}

const COOKIE_MINUTE_US = 60_000_000;

/**
 * Makes cookies, §4.3.1.1: a caller that sends one back is where it says it is. They are made from the address and the
 * minute, so that nothing is kept for those who never come back.
 */
export class Cookies {
  readonly #secret: Buffer;

  /** @param secret of this listener, made anew at each start */
  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  make({ address, port }: PeerAddress, now: number, minutesAgo = 0): number {
    const minute = Math.floor(now / COOKIE_MINUTE_US) - minutesAgo;
    return createHmac('sha256', this.#secret).update(`${address} ${port} ${minute}`).digest().readUInt32BE(0);
  }

  /** One of this minute or the one before. */
  fits(cookie: number, peer: PeerAddress, now: number): boolean {
    return [0, 1].some((minutesAgo) => sameNumber(cookie, this.make(peer, now, minutesAgo)));
  }
}

function sameNumber(a: number, b: number): boolean {
  const [left, right] = [Buffer.alloc(4), Buffer.alloc(4)];
  left.writeUInt32BE(a);
  right.writeUInt32BE(b);
  return timingSafeEqual(left, right);
}

/** The answer to a caller's first packet. Nothing is kept of it. */
export function inductionAnswer(asked: Handshake, peer: PeerAddress, cookie: number): Handshake {
  return {
    ...asked,
    version: 5,
    encryption: 0,
    extensionField: SRT_MAGIC,
    type: HANDSHAKE_TYPE.induction,
    cookie,
    peerAddress: handshakeAddress(peer.address),
    extensions: [],
  };
}

/** A caller's conclusion that can be answered. */
export interface Conclusion {
  readonly handshake: Handshake;
  readonly extensions: ConclusionExtensions;
}

/**
 * Reads a conclusion.
 *
 * @returns a rejection code where what it wants is not possible here
 * @throws {SrtError} `malformed`
 */
export function readConclusion(handshake: Handshake): Conclusion | number {
  if (handshake.version < 5) return REJECTION.version;
  const extensions = readConclusionExtensions(handshake);
  if (extensions.capabilities === undefined) return REJECTION.rogue;
  if (extensions.group) return REJECTION.group;
  if (hasFlag(extensions.capabilities.flags, CAPABILITY.stream)) return REJECTION.messageApi;
  if (extensions.congestion !== '' && extensions.congestion !== 'live') return REJECTION.congestion;
  return { handshake, extensions };
}

/** What an accepted connection begins with. */
export interface Acceptance {
  readonly answer: Handshake;
  readonly terms: ConnectionTerms;
}

/**
 * Accepts a conclusion.
 *
 * @param options.passphrase undefined where the stream is not encrypted
 * @returns a rejection code where the caller's passphrase is not this one, or its packet filter is not possible
 */
export function accept(
  { handshake, extensions }: Conclusion,
  options: {
    readonly own: SrtOptions;
    readonly socketId: SocketId;
    readonly peer: PeerAddress;
    readonly timestamp: Timestamp;
    readonly passphrase: string | undefined;
    readonly random: (bytes: number) => Buffer;
    /** Of what this side sends; the caller's where it is missing. */
    readonly initialSequence?: SequenceNumber;
  },
): Acceptance | number {
  const { own, socketId, peer, passphrase, random, initialSequence = handshake.initialSequence } = options;
  const { capabilities, keyMaterial } = extensions;
  if (capabilities === undefined) return REJECTION.rogue;
  const keys = acceptKeys(passphrase, keyMaterial, random);
  if (typeof keys === 'number') return keys;
  const filter = filterOr(REJECTION.filter, own.packetFilter, extensions.filter);
  if (typeof filter === 'number') return filter;
  const receiveLatency = Math.max(own.receiveLatency, capabilities.senderLatency);
  const sendLatency = Math.max(own.sendLatency, capabilities.receiverLatency);
  const answered = [
    extension(
      EXTENSION.hsrsp,
      writeCapabilities({
        version: OWN_VERSION,
        flags: OWN_FLAGS,
        receiverLatency: receiveLatency,
        senderLatency: sendLatency,
      }),
    ),
  ];
  // The caller's key is taken for both directions: the answer is the message itself.
  if (keyMaterial !== undefined && keys !== undefined) answered.push(extension(EXTENSION.kmrsp, keyMaterial));
  if (filter !== undefined) {
    answered.push(extension(EXTENSION.filter, writeExtensionText(writeFilterConfig(filter))));
  }
  const mtu = Math.min(own.mtu, Math.max(handshake.mtu, 256));
  const answer: Handshake = {
    version: 5,
    encryption: 0,
    extensionField:
      EXTENSION_FLAG.hsreq |
      (keys === undefined ? 0 : EXTENSION_FLAG.kmreq) |
      (filter === undefined ? 0 : EXTENSION_FLAG.config),
    initialSequence,
    mtu,
    flowWindow: own.flowWindow,
    type: HANDSHAKE_TYPE.conclusion,
    socketId,
    cookie: handshake.cookie,
    peerAddress: handshakeAddress(peer.address),
    extensions: answered,
  };
  return {
    answer,
    terms: {
      peerId: handshake.socketId,
      initialSequence,
      peerInitialSequence: handshake.initialSequence,
      maxDatagram: mtu - UDP_OVERHEAD,
      flowWindow: Math.min(own.flowWindow, handshake.flowWindow || own.flowWindow),
      receiveLatency,
      sendLatency,
      maxBandwidth: own.maxBandwidth,
      peerTimestamp: options.timestamp,
      periodicNak: true,
      tooLateDrop: true,
      filter,
      sendKeys: keys?.send,
      receiveKeys: keys?.receive,
    },
  };
}

/** A refusal, which names its reason. */
export function rejection(asked: Handshake, code: number): Handshake {
  return { ...asked, type: REJECTION_BASE + code, extensions: [], extensionField: 0 };
}

function filterOr(refused: number, own: string | undefined, peers: string): FecConfig | undefined | number {
  try {
    return agreedFilter(own, peers);
  } catch (error) {
    if (error instanceof SrtError) return refused;
    throw error;
  }
}

const hasFlag = (flags: number, flag: number): boolean => (flags & flag) !== 0;

interface Keys {
  readonly send: SendKeys;
  readonly receive: ReceiveKeys;
}

function acceptKeys(
  passphrase: string | undefined,
  keyMaterial: Buffer | undefined,
  random: (bytes: number) => Buffer,
): Keys | undefined | number {
  if (passphrase === undefined && keyMaterial === undefined) return undefined;
  if (passphrase === undefined || keyMaterial === undefined) return REJECTION.unsecure;
  const receive = new ReceiveKeys(passphrase);
  const material = readKeyMaterial(keyMaterial);
  if (!receive.take(keyMaterial)) return REJECTION.badSecret;
  const send = SendKeys.adopt({ passphrase, material, random });
  return send === undefined ? REJECTION.badSecret : { send, receive };
}
