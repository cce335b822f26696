import { randomBytes } from 'node:crypto';
import type { RtcpPacket, RtpPacket } from '@sluice/rtp';
import { type DtlsCertificate, makeCertificate } from '../dtls/index.js';
import { WebRtcError } from '../errors.js';
import { type AnsweredMedia, writeAnswer } from '../sdp/answer.js';
import type { HostCandidate } from '../sdp/candidate.js';
import { readFragment, writeFragment } from '../sdp/fragment.js';
import type { Offer } from '../sdp/offer.js';
import { type IceCredentials, localUfragOf, makeCredentials, type Remote } from '../session/ice-lite.js';
import { PeerSession, setupOf } from '../session/peer-session.js';
import { isStun, readStun, STUN_TYPE, type StunMessage } from '../wire/stun.js';
import { AddressDiscovery, type MappedAddress } from './address-discovery.js';
import { TcpTransport } from './tcp-transport.js';
import { UdpTransport } from './udp-transport.js';

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
  /** A name that only the peer is told: who knows it may end the session. */
  readonly id: string;
  /** For the peer. */
  readonly answer: string;
  /** Names the credentials of ICE that are in force: others after each restart. */
  readonly iceTag: string;
  readonly isConnected: boolean;
  sendRtp(header: Buffer, pieces: readonly Buffer[]): void;
  sendRtcp(packets: readonly RtcpPacket[]): void;
  /**
   * Takes an SDP fragment that the peer sent later.
   *
   * @returns the fragment that answers it where the peer begins anew; undefined where nothing is to be said
   * @throws {WebRtcError} `malformed`
   */
  fragment(text: string): string | undefined;
  close(reason: string): void;
}

/** An address that peers are told. */
export interface AnnouncedAddress {
  readonly address: string;
  /** Where it isn't the port that the server listens on. */
  readonly port?: number | undefined;
}

export interface WebRtcServerOptions {
  readonly announce: () => readonly AnnouncedAddress[];
  /** Whether peers may connect by TCP, too, on the number of the UDP port. */
  readonly tcp: boolean;
  /** Today, for the certificate. */
  readonly wallClock: () => Date;
}

interface Ports {
  readonly udp: UdpTransport;
  readonly tcp: TcpTransport | undefined;
}

const TICK_MS = 50;
const YEAR_MS = 365 * 24 * 3_600_000;
const ID_BYTES = 16;
/** A free port of UDP may be taken at TCP. */
const MOST_TRIES = 20;

const now = (): number => performance.now();

/** One port for all peers, RFC 7983: who a datagram is from, its address tells, and the first time its user name. */
export class WebRtcServer {
  readonly #options: WebRtcServerOptions;
  readonly #certificate: DtlsCertificate;
  readonly #byUfrag = new Map<string, PeerSession>();
  readonly #byAddress = new Map<string, PeerSession>();
  readonly #addresses = new Map<PeerSession, Map<string, Remote>>();
  readonly #peers = new Map<string, Peer>();
  readonly #discovery = new AddressDiscovery(randomBytes, (datagram, to) => this.#send([datagram], to));
  #ports: Ports | undefined;
  #timer: NodeJS.Timeout | undefined;

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
    this.#ports = await this.#open(port, host, MOST_TRIES);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    return this.#ports.udp.port;
  }

  /** Asks a STUN server from which address it sees the port. @returns undefined where it doesn't answer */
  discover(server: MappedAddress): Promise<MappedAddress | undefined> {
    return this.#discovery.ask({ protocol: 'udp', ...server });
  }

  /** The session of a name. */
  peer(id: string): Peer | undefined {
    return this.#peers.get(id);
  }

  /**
   * Opens a session for an offer.
   *
   * @param media what becomes of each of the media that are offered
   * @param announce addresses that this peer is told instead of the usual ones
   */
  open(
    offer: Offer,
    media: readonly (AnsweredMedia | undefined)[],
    handler: PeerHandler,
    announce: readonly AnnouncedAddress[] = this.#options.announce(),
  ): Peer {
    if (this.#ports === undefined) throw new Error('the server does not listen');
    const candidates = candidatesOf(announce, this.#ports);
    const id = randomBytes(ID_BYTES).toString('hex');
    let ice = this.#freeCredentials();
    let remoteUfrag = offer.ufrag;
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
          this.#byUfrag.delete(ice.ufrag);
          this.#peers.delete(id);
          this.#forget(session);
          handler.closed(reason);
        },
      },
    });
    this.#byUfrag.set(ice.ufrag, session);
    this.#addresses.set(session, new Map());
    const answer = writeAnswer({
      offer,
      media,
      ice,
      fingerprint: this.#certificate.fingerprint,
      setup: setupOf(offer),
      candidates,
      sessionId: randomBytes(6).readUIntBE(0, 6),
    });
    const restart = (ufrag: string): string => {
      this.#byUfrag.delete(ice.ufrag);
      ice = this.#freeCredentials();
      remoteUfrag = ufrag;
      this.#byUfrag.set(ice.ufrag, session);
      session.restartIce(ice, ufrag);
      const bundle = media.find((answered) => answered !== undefined)?.offered ?? { kind: 'video', mid: '0' };
      return writeFragment(ice, candidates, bundle);
    };
    const peer: Peer = {
      id,
      answer,
      get iceTag() {
        return ice.ufrag;
      },
      get isConnected() {
        return session.isConnected;
      },
      sendRtp: (header, pieces) => session.sendRtp(header, pieces),
      sendRtcp: (packets) => session.sendRtcp(packets),
      fragment: (text) => {
        const { ufrag } = readFragment(text);
        return ufrag === remoteUfrag ? undefined : restart(ufrag);
      },
      close: (reason) => session.close(reason),
    };
    this.#peers.set(id, peer);
    return peer;
  }

  /** Ends all sessions, and closes the port. */
  async close(reason: string): Promise<void> {
    clearInterval(this.#timer);
    this.#discovery.close();
    for (const session of [...this.#byUfrag.values()]) session.close(reason);
    const ports = this.#ports;
    this.#ports = undefined;
    await Promise.all([ports?.udp.close(), ports?.tcp?.close()]);
  }

  async #open(port: number, host: string, tries: number): Promise<Ports> {
    const receive = (datagram: Buffer, from: Remote) => this.#receive(datagram, from);
    const udp = await UdpTransport.open(port, host, receive);
    if (!this.#options.tcp) return { udp, tcp: undefined };
    try {
      return { udp, tcp: await TcpTransport.open(udp.port, host, receive) };
    } catch (error) {
      await udp.close();
      if (port !== 0 || tries === 0) throw error;
      return this.#open(port, host, tries - 1);
    }
  }

  #send(pieces: readonly Buffer[], to: Remote): void {
    if (to.protocol === 'udp') this.#ports?.udp.send(pieces, to);
    else this.#ports?.tcp?.send(pieces, to);
  }

  #freeCredentials(): IceCredentials {
    for (;;) {
      const credentials = makeCredentials(randomBytes);
      if (!this.#byUfrag.has(credentials.ufrag)) return credentials;
    }
  }

  #receive(datagram: Buffer, from: Remote): boolean {
    const key = `${from.protocol} ${from.address} ${from.port}`;
    const known = this.#byAddress.get(key);
    const session = isStun(datagram) ? (this.#sessionOf(datagram, from) ?? known) : known;
    if (session === undefined) return false;
    const isThere = guarded(session, () => session.receive(datagram, from, now()));
    if (!isThere || session === known) return known !== undefined;
    // One socket of a browser may come back for another session.
    if (known !== undefined) this.#addresses.get(known)?.delete(key);
    this.#byAddress.set(key, session);
    this.#addresses.get(session)?.set(key, from);
    return true;
  }

  #sessionOf(datagram: Buffer, from: Remote): PeerSession | undefined {
    const message = readOrUndefined(datagram);
    if (message === undefined) return undefined;
    if (message.type !== STUN_TYPE.bindingRequest) this.#discovery.receive(message, from);
    const ufrag = localUfragOf(message);
    return ufrag === undefined ? undefined : this.#byUfrag.get(ufrag);
  }

  #forget(session: PeerSession): void {
    for (const [key, remote] of this.#addresses.get(session) ?? []) {
      if (this.#byAddress.get(key) !== session) continue;
      this.#byAddress.delete(key);
      if (remote.protocol === 'tcp') this.#ports?.tcp?.end(remote);
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

function candidatesOf(announced: readonly AnnouncedAddress[], { udp, tcp }: Ports): HostCandidate[] {
  const protocols = tcp === undefined ? (['udp'] as const) : (['udp', 'tcp'] as const);
  return protocols.flatMap((protocol) =>
    announced.map(({ address, port = udp.port }): HostCandidate => ({ protocol, address, port })),
  );
}

function readOrUndefined(datagram: Buffer): StunMessage | undefined {
  try {
    return readStun(datagram);
  } catch (error) {
    if (error instanceof WebRtcError) return undefined;
    throw error;
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
