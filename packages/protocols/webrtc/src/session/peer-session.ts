import {
  isRtcp,
  type RtcpPacket,
  RtpError,
  type RtpPacket,
  readRtcp,
  SrtpReceiver,
  SrtpSender,
  writeRtcp,
} from '@sluice/rtp';
import { type DtlsCertificate, DtlsEndpoint, type DtlsKeys, isDtls } from '../dtls/index.js';
import { WebRtcError } from '../errors.js';
import type { Offer } from '../sdp/offer.js';
import { isStun, readStun } from '../wire/stun.js';
import { type IceCredentials, IceLite, type Remote } from './ice-lite.js';

/** Where a session's datagrams and packets go. */
export interface PeerOutput {
  /** To the peer, in pieces that make one datagram. */
  datagram(pieces: readonly Buffer[], to: Remote): void;
  rtp(packet: RtpPacket): void;
  rtcp(packets: readonly RtcpPacket[]): void;
  /** Media can go both ways from now on. */
  connected(): void;
  /** It is over: no other call comes after this. */
  closed(reason: string): void;
}

export interface PeerOptions {
  readonly offer: Offer;
  readonly ice: IceCredentials;
  readonly certificate: DtlsCertificate;
  readonly random: (bytes: number) => Buffer;
  readonly output: PeerOutput;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: number;
}

/** A peer that hasn't shown itself by then never will. */
const CONNECT_TIMEOUT_MS = 20_000;
/** RFC 7675 §5.1: consent that isn't renewed runs out. */
const CONSENT_TIMEOUT_MS = 30_000;

/** One peer after the exchange of descriptions: ICE, DTLS and SRTP in their turn. Datagrams and time in, media out. */
export class PeerSession {
  readonly #output: PeerOutput;
  readonly #ice: IceLite;
  readonly #dtls: DtlsEndpoint;
  readonly #startedAt: number;
  #remote: Remote | undefined;
  #consentAt: number;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #isClosed = false;

  constructor({ offer, ice, certificate, random, output, now }: PeerOptions) {
    this.#output = output;
    this.#startedAt = now;
    this.#consentAt = now;
    this.#ice = new IceLite(ice, offer.ufrag);
    this.#dtls = new DtlsEndpoint({
      role: setupOf(offer) === 'active' ? 'client' : 'server',
      certificate,
      remoteFingerprint: offer.fingerprint,
      random,
      send: (datagram) => this.#send([datagram]),
      connected: (keys) => this.#connected(keys),
      closed: (reason) => this.#close(reason),
    });
  }

  get isConnected(): boolean {
    return this.#sender !== undefined && !this.#isClosed;
  }

  /**
   * Takes a datagram that came for this session. What is wrong in it is dropped.
   *
   * @returns whether the peer has shown with it that it is there where it came from
   */
  receive(datagram: Buffer, from: Remote, now: number): boolean {
    if (this.#isClosed) return false;
    if (isStun(datagram)) return this.#receiveStun(datagram, from, now);
    // Anybody can send from anywhere; what isn't from where the peer has shown itself isn't looked at.
    if (this.#remote === undefined || !isSame(this.#remote, from)) return false;
    if (isDtls(datagram)) this.#dtls.receive(datagram, now);
    else this.#receiveMedia(datagram);
    return false;
  }

  /** Does what only time brings. Called about every 50 ms. */
  tick(now: number): void {
    if (this.#isClosed) return;
    this.#dtls.tick(now);
    if (this.#sender === undefined && now - this.#startedAt > CONNECT_TIMEOUT_MS) {
      this.close(`the peer did not connect in ${CONNECT_TIMEOUT_MS / 1000} s`);
    } else if (now - this.#consentAt > CONSENT_TIMEOUT_MS) {
      this.close(`the peer has been silent for ${CONSENT_TIMEOUT_MS / 1000} s`);
    }
  }

  /** The peer begins anew to look for ways, RFC 8445 §9; the keys stay. What is on the old way flows until then. */
  restartIce(local: IceCredentials, remoteUfrag: string): void {
    this.#ice.restart(local, remoteUfrag);
  }

  /** Sends a packet. @param pieces the payload, which may be shared with other sessions */
  sendRtp(header: Buffer, pieces: readonly Buffer[]): void {
    if (this.#sender !== undefined) this.#send([header, ...this.#sender.protect(header, pieces)]);
  }

  sendRtcp(packets: readonly RtcpPacket[]): void {
    if (this.#sender !== undefined) this.#send([this.#sender.protectRtcp(writeRtcp(packets))]);
  }

  /** Says goodbye. Later calls do nothing. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#dtls.close();
    this.#output.closed(reason);
  }

  #receiveStun(datagram: Buffer, from: Remote, now: number): boolean {
    const answer = this.#answerTo(datagram, from);
    if (answer === undefined) return false;
    this.#output.datagram([answer.response], from);
    if (!answer.isValid) return false;
    this.#consentAt = now;
    const isFirst = this.#remote === undefined;
    if (isFirst || answer.nominated) this.#remote = from;
    if (isFirst) this.#dtls.start(now);
    return true;
  }

  #answerTo(datagram: Buffer, from: Remote) {
    try {
      return this.#ice.receive(datagram, readStun(datagram), from);
    } catch (error) {
      if (error instanceof WebRtcError) return undefined;
      throw error;
    }
  }

  #receiveMedia(datagram: Buffer): void {
    const receiver = this.#receiver;
    if (receiver === undefined || datagram.length < 12) return;
    try {
      if (isRtcp(datagram)) this.#output.rtcp(readRtcp(receiver.openRtcp(datagram)));
      else this.#output.rtp(receiver.open(datagram));
    } catch (error) {
      if (!(error instanceof RtpError)) throw error;
    }
  }

  #connected({ profile, localKey, localSalt, remoteKey, remoteSalt }: DtlsKeys): void {
    this.#sender = new SrtpSender({ profile, key: localKey, salt: localSalt });
    this.#receiver = new SrtpReceiver({ profile, key: remoteKey, salt: remoteSalt });
    this.#output.connected();
  }

  #send(pieces: readonly Buffer[]): void {
    if (this.#remote !== undefined) this.#output.datagram(pieces, this.#remote);
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#output.closed(reason);
  }
}

/** Which part this side takes: a peer that leaves it open begins. */
export function setupOf({ setup }: Offer): 'active' | 'passive' {
  return setup === 'passive' ? 'active' : 'passive';
}

const isSame = (a: Remote, b: Remote): boolean =>
  a.port === b.port && a.address === b.address && a.protocol === b.protocol;
