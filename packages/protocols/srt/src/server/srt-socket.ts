import { type ConnectionTerms, SrtConnection } from '../session/connection.js';
import type { PeerAddress } from '../session/listener-handshake.js';
import type { SrtStatistics } from '../session/statistics.js';
import type { Packet } from '../wire/packet.js';
import { type Micros, micros } from '../wire/timestamp.js';

/** Serves one connection. What it throws ends that connection only. */
export interface SrtSocketHandler {
  /** A payload in order and in time: with most encoders, seven MPEG-TS packets. */
  payload(bytes: Buffer): void;
  /** Once, when the connection is over. */
  closed(reason: string): void;
}

export const nowMicros = (): Micros => micros(Math.round(performance.now() * 1000));

/** An open SRT connection. */
export class SrtSocket {
  readonly peer: PeerAddress;
  readonly streamId: string;
  readonly #connection: SrtConnection;
  #handler: SrtSocketHandler | undefined;
  #early: Buffer[] = [];
  #closedBecause: string | undefined;

  /** @param options.closed called when the connection is over, before its handler hears of it */
  constructor(options: {
    terms: ConnectionTerms;
    peer: PeerAddress;
    streamId: string;
    startedAt: Micros;
    send: (head: Buffer, body: Buffer) => void;
    closed: () => void;
  }) {
    this.peer = options.peer;
    this.streamId = options.streamId;
    this.#connection = new SrtConnection({
      terms: options.terms,
      startedAt: options.startedAt,
      now: nowMicros(),
      output: {
        datagram: options.send,
        payload: (bytes) => this.#receive(bytes),
        closed: (reason) => {
          this.#closedBecause = reason;
          options.closed();
          this.#handler?.closed(reason);
        },
      },
    });
  }

  /** Largest payload of one packet. */
  get maxPayload(): number {
    return this.#connection.maxPayload;
  }

  /** From now on, who serves it; what came before comes first. */
  serve(handler: SrtSocketHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) this.#receive(bytes);
    if (this.#closedBecause !== undefined) handler.closed(this.#closedBecause);
  }

  /** @returns false where so much is under way that it was dropped */
  send(payload: Buffer): boolean {
    return this.#connection.send(payload, nowMicros());
  }

  close(reason: string): void {
    this.#connection.close(reason, nowMicros());
  }

  statistics(): SrtStatistics {
    return this.#connection.statistics(nowMicros());
  }

  /** For the endpoint: a datagram of this connection. */
  receive(packet: Packet, datagram: Buffer): void {
    this.#connection.receive(packet, datagram, nowMicros());
  }

  /** For the endpoint: time has passed. */
  tick(now: Micros): void {
    this.#connection.tick(now);
  }

  #receive(bytes: Buffer): void {
    if (this.#handler === undefined) {
      this.#early.push(bytes);
      return;
    }
    try {
      this.#handler.payload(bytes);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    }
  }
}
