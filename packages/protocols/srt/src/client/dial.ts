import { randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { SrtError } from '../errors.js';
import { Endpoint } from '../server/endpoint.js';
import { nowMicros, SrtSocket } from '../server/srt-socket.js';
import type { ClientHandshake } from '../session/caller-handshake.js';
import type { ConnectionTerms } from '../session/connection.js';
import type { PeerAddress } from '../session/listener-handshake.js';
import { type Handshake, readHandshake, writeHandshake } from '../wire/handshake.js';
import { CONTROL, type ControlPacket, type SocketId, writeControl } from '../wire/packet.js';
import { type SequenceNumber, sequence } from '../wire/sequence.js';
import { timestampOf } from '../wire/timestamp.js';

const REPEAT_MS = 250;

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** 0 takes a free one. */
  readonly localPort: number;
  readonly streamId: string;
  readonly timeoutMs: number;
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined;
  readonly handshake: (own: {
    readonly socketId: SocketId;
    readonly initialSequence: SequenceNumber;
    readonly peer: PeerAddress;
  }) => ClientHandshake;
}

/**
 * Opens a port of its own, and goes through a handshake.
 *
 * @throws {SrtError} `rejected`, `time-out`, `unsupported`; what the system says of the port or the name
 */
export async function dial(options: DialOptions): Promise<SrtSocket> {
  const { address } = await lookup(options.host);
  const dialing = new Dialing(options, { address, port: options.port });
  return dialing.run();
}

class Dialing {
  readonly #options: DialOptions;
  readonly #peer: PeerAddress;
  readonly #startedAt = nowMicros();
  readonly #socketId = randomInt(1, 0x3fff_ffff) as SocketId;
  readonly #handshake: ClientHandshake;
  readonly #settled: Promise<SrtSocket>;
  #resolve: (socket: SrtSocket) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #endpoint: Endpoint | undefined;
  #isDone = false;

  constructor(options: DialOptions, peer: PeerAddress) {
    this.#options = options;
    this.#peer = peer;
    const initialSequence = sequence(randomInt(0, 0x7fff_ffff));
    this.#handshake = options.handshake({ socketId: this.#socketId, initialSequence, peer });
    this.#settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  async run(): Promise<SrtSocket> {
    const { host, port, localPort, timeoutMs, signal } = this.#options;
    const any = this.#peer.address.includes(':') ? '::' : '0.0.0.0';
    const endpoint = await Endpoint.open(localPort, any, (packet, from) => this.#receive(packet, from));
    this.#endpoint = endpoint;
    const repeat = setInterval(() => this.#say(this.#handshake.message), REPEAT_MS);
    const timeout = setTimeout(() => {
      this.#reject(new SrtError('time-out', `${host}:${port} gave no answer in ${timeoutMs} ms`));
    }, timeoutMs);
    const giveUp = () => this.#reject(new SrtError('closed', 'the call was given up'));
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    this.#say(this.#handshake.message);
    try {
      return await this.#settled;
    } catch (error) {
      this.#isDone = true;
      await endpoint.close('the call failed');
      throw error;
    } finally {
      clearInterval(repeat);
      clearTimeout(timeout);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #receive(packet: ControlPacket, from: PeerAddress): void {
    const { address, port } = this.#peer;
    const isOurs = packet.destination === this.#socketId || packet.destination === 0;
    if (this.#isDone || !isOurs || from.port !== port || from.address !== address) return;
    try {
      const isHandshake = packet.type === CONTROL.handshake;
      const terms = isHandshake
        ? this.#handshake.receive(readHandshake(packet.content), packet.timestamp)
        : this.#handshake.heard();
      if (terms !== undefined) this.#connected(terms);
      else if (isHandshake) this.#say(this.#handshake.message);
    } catch (error) {
      // Whoever sends nonsense from the peer's address is not to end the call.
      if (error instanceof SrtError && error.code === 'malformed') return;
      const { farewell } = this.#handshake;
      if (farewell !== undefined) this.#say(farewell);
      this.#reject(error);
    }
  }

  #connected(terms: ConnectionTerms): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    this.#isDone = true;
    const socket = new SrtSocket({
      terms,
      peer: this.#peer,
      streamId: this.#options.streamId,
      startedAt: this.#startedAt,
      send: (head, body) => endpoint.sendPieces(head, body, this.#peer),
      closed: () => {
        endpoint.remove(this.#socketId);
        // The goodbye is still to go out.
        setImmediate(() => void endpoint.close('closed'));
      },
    });
    endpoint.add(this.#socketId, socket);
    const { farewell } = this.#handshake;
    if (farewell !== undefined) this.#say(farewell);
    this.#resolve(socket);
  }

  #say(handshake: Handshake): void {
    const timestamp = timestampOf(nowMicros() - this.#startedAt);
    const { destination } = this.#handshake;
    const content = writeHandshake(handshake);
    const datagram = writeControl({ type: CONTROL.handshake, info: 0, timestamp, destination, content });
    this.#endpoint?.send(datagram, this.#peer);
  }
}
