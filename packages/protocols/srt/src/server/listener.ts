import { randomBytes } from 'node:crypto';
import { SrtError } from '../errors.js';
import { messageOf } from '../message-of.js';
import {
  accept,
  type Conclusion,
  Cookies,
  inductionAnswer,
  type PeerAddress,
  readConclusion,
  rejection,
} from '../session/listener-handshake.js';
import { REJECTION, rejectionName } from '../session/rejection.js';
import { DEFAULT_OPTIONS, type SrtOptions } from '../session/terms.js';
import { HANDSHAKE_TYPE, type Handshake, readHandshake, writeHandshake } from '../wire/handshake.js';
import { CONTROL, type ControlPacket, type SocketId, writeControl } from '../wire/packet.js';
import { type Timestamp, timestampOf } from '../wire/timestamp.js';
import { Endpoint } from './endpoint.js';
import { nowMicros, SrtSocket } from './srt-socket.js';

/** What a caller asks for. */
export interface SrtRequest {
  readonly streamId: string;
  readonly peer: PeerAddress;
  /** Whether it brings a key, made from a passphrase that is to be checked. */
  readonly encrypted: boolean;
}

/** What the caller is let in with. */
export interface SrtGrant {
  /** Undefined where the stream is not encrypted. */
  readonly passphrase?: string | undefined;
  /** Called when the connection stands. */
  readonly open: (socket: SrtSocket) => void;
  /** Called where it comes to nothing after all: the passphrase was wrong. */
  readonly abandoned?: ((reason: string) => void) | undefined;
}

/** Thrown to refuse a caller, with a code that it is told. */
export class SrtRefusal extends Error {
  override readonly name = 'SrtRefusal';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface SrtLog {
  readonly debug: LogMethod;
  readonly warn: LogMethod;
}

export interface SrtListenerOptions {
  readonly decide: (request: SrtRequest) => Promise<SrtGrant>;
  readonly log: SrtLog;
  readonly options?: Partial<SrtOptions>;
  readonly maxConnections?: number;
  readonly maxConnectionsPerIp?: number;
}

interface Handshaking {
  /** Said again to a caller that asks again; undefined while it is being decided. */
  answer: Buffer | undefined;
}

/** Callers that are being decided on, all at once; beyond it a new one is told to come back. */
const MAX_UNDECIDED = 1000;
/** An answer is remembered for as long as a caller may ask again. */
const ANSWER_KEPT_MS = 5000;

/** Listens for callers on one UDP port. Nothing is kept of a caller before it has shown where it is, §4.3.1.1. */
export class SrtListener {
  readonly #options: SrtListenerOptions;
  readonly #own: SrtOptions;
  readonly #cookies = new Cookies(randomBytes(32));
  readonly #handshakes = new Map<string, Handshaking>();
  readonly #perIp = new Map<string, number>();
  readonly #startedAt = nowMicros();
  #endpoint: Endpoint | undefined;

  constructor(options: SrtListenerOptions) {
    this.#options = options;
    this.#own = { ...DEFAULT_OPTIONS, ...options.options };
  }

  get connections(): number {
    return this.#endpoint?.connections ?? 0;
  }

  /** @returns the port */
  async listen(port: number, host = '0.0.0.0'): Promise<number> {
    this.#endpoint = await Endpoint.open(port, host, (packet, peer) => this.#receive(packet, peer));
    return this.#endpoint.port;
  }

  /** Ends all connections, and closes the port. */
  async close(reason = 'the server is going down'): Promise<void> {
    await this.#endpoint?.close(reason);
    this.#handshakes.clear();
  }

  #receive(packet: ControlPacket, peer: PeerAddress): void {
    if (packet.type !== CONTROL.handshake || packet.destination !== 0) return;
    try {
      this.#handshake(readHandshake(packet.content), packet, peer);
    } catch (error) {
      if (!(error instanceof SrtError)) throw error;
      this.#options.log.debug({ ip: peer.address, reason: error.code, detail: error.message }, 'SRT handshake dropped');
    }
  }

  #handshake(handshake: Handshake, { timestamp }: ControlPacket, peer: PeerAddress): void {
    const now = nowMicros();
    if (handshake.type === HANDSHAKE_TYPE.induction) {
      this.#answer(inductionAnswer(handshake, peer, this.#cookies.make(peer, now)), handshake.socketId, peer);
      return;
    }
    if (handshake.type !== HANDSHAKE_TYPE.conclusion || !this.#cookies.fits(handshake.cookie, peer, now)) return;
    const name = `${peer.address} ${peer.port} ${handshake.socketId}`;
    const known = this.#handshakes.get(name);
    if (known !== undefined) {
      if (known.answer !== undefined) this.#endpoint?.send(known.answer, peer);
      return;
    }
    const conclusion = readConclusion(handshake);
    if (typeof conclusion === 'number') {
      const fields = { ip: peer.address, reason: 'unsupported', code: rejectionName(conclusion) };
      this.#options.log.warn(fields, 'SRT caller refused');
      this.#answer(rejection(handshake, conclusion), handshake.socketId, peer);
    } else void this.#decide(name, conclusion, timestamp, peer);
  }

  async #decide(name: string, conclusion: Conclusion, timestamp: Timestamp, peer: PeerAddress): Promise<void> {
    const { handshake, extensions } = conclusion;
    const { maxConnections = 10_000, maxConnectionsPerIp = 1000, log, decide } = this.#options;
    const fromIp = this.#perIp.get(peer.address) ?? 0;
    const isFull = this.connections >= maxConnections || fromIp >= maxConnectionsPerIp;
    if (isFull || this.#handshakes.size >= MAX_UNDECIDED) {
      log.warn({ ip: peer.address, reason: 'too-many-connections' }, 'SRT caller refused');
      this.#answer(rejection(handshake, REJECTION.resource), handshake.socketId, peer);
      return;
    }
    const handshaking: Handshaking = { answer: undefined };
    this.#handshakes.set(name, handshaking);
    const { streamId, keyMaterial } = extensions;
    let grant: SrtGrant | undefined;
    let code: number;
    try {
      grant = await decide({ streamId, peer, encrypted: keyMaterial !== undefined });
      code = this.#open(grant, conclusion, timestamp, peer, handshaking);
    } catch (error) {
      code = error instanceof SrtRefusal ? error.code : REJECTION.internal;
      if (!(error instanceof SrtRefusal)) log.warn({ ip: peer.address, detail: messageOf(error) }, 'SRT caller failed');
    }
    if (code !== ACCEPTED) {
      grant?.abandoned?.(code === REJECTION.badSecret ? 'the passphrase is wrong' : 'the connection was refused');
      handshaking.answer = this.#answer(rejection(handshake, code), handshake.socketId, peer);
    }
    setTimeout(() => this.#handshakes.delete(name), ANSWER_KEPT_MS).unref();
  }

  #open(
    grant: SrtGrant,
    conclusion: Conclusion,
    timestamp: Timestamp,
    peer: PeerAddress,
    handshaking: Handshaking,
  ): number {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return REJECTION.close;
    const socketId = endpoint.freeId();
    const { passphrase } = grant;
    const accepted = accept(conclusion, {
      own: this.#own,
      socketId,
      peer,
      timestamp,
      passphrase,
      random: randomBytes,
    });
    if (typeof accepted === 'number') return accepted;
    const socket = new SrtSocket({
      terms: accepted.terms,
      peer,
      streamId: conclusion.extensions.streamId,
      startedAt: nowMicros(),
      send: (head, body) => endpoint.sendPieces(head, body, peer),
      closed: () => {
        endpoint.remove(socketId);
        this.#count(peer.address, -1);
      },
    });
    endpoint.add(socketId, socket);
    this.#count(peer.address, 1);
    handshaking.answer = this.#answer(accepted.answer, conclusion.handshake.socketId, peer);
    grant.open(socket);
    return ACCEPTED;
  }

  #count(ip: string, by: 1 | -1): void {
    const count = (this.#perIp.get(ip) ?? 0) + by;
    if (count === 0) this.#perIp.delete(ip);
    else this.#perIp.set(ip, count);
  }

  #answer(handshake: Handshake, destination: SocketId, peer: PeerAddress): Buffer {
    const timestamp = timestampOf(nowMicros() - this.#startedAt);
    const content = writeHandshake(handshake);
    const datagram = writeControl({ type: CONTROL.handshake, info: 0, timestamp, destination, content });
    this.#endpoint?.send(datagram, peer);
    return datagram;
  }
}

const ACCEPTED = -1;
