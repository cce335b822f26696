import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { RtcpPacket, RtpPacket } from '@sluice/rtp';
import { type DtlsCertificate, makeCertificate } from '../dtls/index.js';
import { WebRtcError } from '../errors.js';
import { type AnsweredMedia, type HostCandidate, writeAnswer } from '../sdp/answer.js';
import type { Offer } from '../sdp/offer.js';
import { type IceCredentials, localUfragOf, makeCredentials, type Remote } from '../session/ice-lite.js';
import { PeerSession, setupOf } from '../session/peer-session.js';
import { isStun, readStun } from '../wire/stun.js';

/** Serves one peer. What it throws ends that session only. */
export interface PeerHandler {
  rtp(packet: RtpPacket): void;
  rtcp(packets: readonly RtcpPacket[]): void;
  connected(): void;
  /** Once, when the session is over. */
  closed(reason: string): void;
}

/** An open session, for who serves it. */
export interface Peer {
  /** For the peer. */
  readonly answer: string;
  readonly isConnected: boolean;
  sendRtp(header: Buffer, pieces: readonly Buffer[]): void;
  sendRtcp(packets: readonly RtcpPacket[]): void;
  close(reason: string): void;
}

export interface WebRtcServerOptions {
  /** Addresses that peers are told, without a port. */
  readonly announce: () => readonly string[];
  /** Today, for the certificate. */
  readonly wallClock: () => Date;
}

/** How an IPv6 socket names addresses of IPv4. */
const MAPPED_PREFIX = '::ffff:';
const TICK_MS = 50;
/** Bursts of many peers wait in the kernel: 4 MiB. */
const KERNEL_BUFFER = 4 * 1024 * 1024;
const YEAR_MS = 365 * 24 * 3_600_000;

const now = (): number => performance.now();

/** One UDP port for all peers, RFC 7983: who a datagram is from, its address tells, and the first time its user name. */
export class WebRtcServer {
  readonly #options: WebRtcServerOptions;
  readonly #certificate: DtlsCertificate;
  readonly #byUfrag = new Map<string, PeerSession>();
  readonly #byAddress = new Map<string, PeerSession>();
  readonly #addresses = new Map<PeerSession, Set<string>>();
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isIPv6 = false;

  constructor(options: WebRtcServerOptions) {
    this.#options = options;
    const today = options.wallClock();
    this.#certificate = makeCertificate({
      commonName: 'sluice',
      // A peer's clock may be behind.
      notBefore: new Date(today.getTime() - YEAR_MS),
      notAfter: new Date(today.getTime() + YEAR_MS),
      serial: randomBytes(16),
    });
  }

  get sessions(): number {
    return this.#byUfrag.size;
  }

  /** @param port 0 takes a free one @returns the port */
  async listen(port: number, host: string): Promise<number> {
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      recvBufferSize: KERNEL_BUFFER,
      sendBufferSize: KERNEL_BUFFER,
      // Addresses only, never names: nothing is to be looked up, and no packet to wait for it.
      lookup: (address, _options, done) => done(null, address, isIPv6(address) ? 6 : 4),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // A peer that is gone says so by ICMP; its session finds out by the silence.
    socket.on('error', () => undefined);
    socket.on('message', (datagram, { address, port: from }) => {
      this.#receive(datagram, { protocol: 'udp', address: address.replace(MAPPED_PREFIX, ''), port: from });
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#socket = socket;
    this.#isIPv6 = isIPv6(host);
    return socket.address().port;
  }

  /**
   * Opens a session for an offer.
   *
   * @param media what becomes of each of the media that are offered
   */
  open(offer: Offer, media: readonly (AnsweredMedia | undefined)[], handler: PeerHandler): Peer {
    const socket = this.#socket;
    if (socket === undefined) throw new Error('the server does not listen');
    const ice = this.#freeCredentials();
    const session: PeerSession = new PeerSession({
      offer,
      ice,
      certificate: this.#certificate,
      random: randomBytes,
      now: now(),
      output: {
        datagram: (pieces, to) => this.#send(pieces, to),
        rtp: (packet) => handler.rtp(packet),
        rtcp: (packets) => handler.rtcp(packets),
        connected: () => handler.connected(),
        closed: (reason) => {
          this.#forget(ice, session);
          handler.closed(reason);
        },
      },
    });
    this.#byUfrag.set(ice.ufrag, session);
    this.#addresses.set(session, new Set());
    const { port } = socket.address();
    const candidates = this.#options.announce().map((address): HostCandidate => ({ protocol: 'udp', address, port }));
    const answer = writeAnswer({
      offer,
      media,
      ice,
      fingerprint: this.#certificate.fingerprint,
      setup: setupOf(offer),
      candidates,
      sessionId: randomBytes(6).readUIntBE(0, 6),
    });
    return {
      answer,
      get isConnected() {
        return session.isConnected;
      },
      sendRtp: (header, pieces) => session.sendRtp(header, pieces),
      sendRtcp: (packets) => session.sendRtcp(packets),
      close: (reason) => session.close(reason),
    };
  }

  /** Ends all sessions, and closes the port. */
  async close(reason: string): Promise<void> {
    clearInterval(this.#timer);
    for (const session of [...this.#byUfrag.values()]) session.close(reason);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((done) => socket.close(() => done()));
  }

  #send(pieces: readonly Buffer[], { address, port }: Remote): void {
    const isMapped = this.#isIPv6 && !isIPv6(address);
    this.#socket?.send(pieces, port, isMapped ? `${MAPPED_PREFIX}${address}` : address);
  }

  #freeCredentials(): IceCredentials {
    for (;;) {
      const credentials = makeCredentials(randomBytes);
      if (!this.#byUfrag.has(credentials.ufrag)) return credentials;
    }
  }

  #receive(datagram: Buffer, from: Remote): void {
    const key = `${from.address} ${from.port}`;
    const known = this.#byAddress.get(key);
    const session = isStun(datagram) ? (this.#sessionOf(datagram) ?? known) : known;
    if (session === undefined) return;
    const isThere = guarded(session, () => session.receive(datagram, from, now()));
    if (!isThere || session === known) return;
    // One socket of a browser may come back for another session.
    if (known !== undefined) this.#addresses.get(known)?.delete(key);
    this.#byAddress.set(key, session);
    this.#addresses.get(session)?.add(key);
  }

  #sessionOf(datagram: Buffer): PeerSession | undefined {
    try {
      const ufrag = localUfragOf(readStun(datagram));
      return ufrag === undefined ? undefined : this.#byUfrag.get(ufrag);
    } catch (error) {
      if (error instanceof WebRtcError) return undefined;
      throw error;
    }
  }

  #forget({ ufrag }: IceCredentials, session: PeerSession): void {
    this.#byUfrag.delete(ufrag);
    for (const key of this.#addresses.get(session) ?? []) {
      if (this.#byAddress.get(key) === session) this.#byAddress.delete(key);
    }
    this.#addresses.delete(session);
  }

  #tick(): void {
    const time = now();
    for (const session of [...this.#byUfrag.values()]) {
      guarded(session, () => {
        session.tick(time);
        return false;
      });
    }
  }
}

/** What goes wrong with one peer is no other one's business. */
function guarded(session: PeerSession, act: () => boolean): boolean {
  try {
    return act();
  } catch (error) {
    session.close(`it failed: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
