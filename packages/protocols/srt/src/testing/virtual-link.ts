import { createHash } from 'node:crypto';
import { type ConnectionTerms, SrtConnection } from '../session/connection.js';
import { ReceiveKeys, type RefreshPolicy, SendKeys } from '../session/keys.js';
import { type FecConfig, readFilterConfig } from '../wire/filter-config.js';
import { readPacket, type SocketId } from '../wire/packet.js';
import { sequence } from '../wire/sequence.js';
import { type Micros, micros, type Timestamp, timestampOf } from '../wire/timestamp.js';

export const SECOND = 1_000_000;
const STEP = 1000;

/** Numbers that look like chance and are the same in each run. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Line {
  /** Share of datagrams that get lost. */
  readonly loss: number;
  /** Microseconds one way. */
  readonly delay: number;
  readonly jitter: number;
}

export interface LinkOptions extends Partial<Line> {
  readonly latency?: number;
  readonly initial?: number;
  readonly startedAt?: number;
  readonly keyBytes?: number;
  readonly refresh?: RefreshPolicy;
  readonly filter?: string;
  /** Bytes a second. */
  readonly maxBandwidth?: number;
  /** Says of a datagram that it gets lost, whatever chance says. */
  readonly loses?: (datagram: Buffer) => boolean;
  /** Sees each datagram as it is sent. */
  readonly watch?: (datagram: Buffer, now: number, to: 'a' | 'b') => void;
}

/** Two connections on a virtual clock, with a line between them that loses, delays and reorders. */
export class VirtualLink {
  now: number;
  readonly got: string[] = [];
  readonly sent: string[] = [];
  readonly a: SrtConnection;
  readonly b: SrtConnection;
  ended: string | undefined;
  readonly #line: Line & LinkOptions;
  readonly #random = chance(7);
  #underWay: { at: number; to: 'a' | 'b'; datagram: Buffer }[] = [];

  constructor(options: LinkOptions = {}) {
    const { latency = 400, initial = 100, startedAt = 0, keyBytes, refresh, maxBandwidth } = options;
    const filter: FecConfig | undefined = options.filter === undefined ? undefined : readFilterConfig(options.filter);
    this.#line = { loss: 0, delay: 20_000, jitter: 0, ...options };
    this.now = startedAt;
    let seed = 0;
    const random = (bytes: number) => createHash('shake256', { outputLength: bytes }).update(String(seed++)).digest();
    const passphrase = 'a good passphrase';
    const keys =
      keyBytes === undefined
        ? undefined
        : new SendKeys({
            passphrase,
            keyBytes,
            cipher: 'ctr',
            random,
            ...(refresh === undefined ? {} : { policy: refresh }),
          });
    const receiveKeys = keys && new ReceiveKeys(passphrase);
    if (keys !== undefined) receiveKeys?.take(keys.announcement);
    const make = (to: 'a' | 'b', own: Partial<ConnectionTerms>, payload: (bytes: Buffer) => void) =>
      new SrtConnection({
        terms: {
          peerId: 1 as SocketId,
          initialSequence: sequence(initial),
          peerInitialSequence: sequence(initial),
          maxDatagram: 1472,
          flowWindow: 8192,
          receiveLatency: latency,
          sendLatency: latency,
          peerTimestamp: timestampOf(0) as Timestamp,
          periodicNak: true,
          tooLateDrop: true,
          maxBandwidth,
          filter,
          sendKeys: undefined,
          receiveKeys: undefined,
          ...own,
        },
        startedAt: micros(startedAt),
        now: micros(startedAt),
        output: {
          datagram: (head, body) => this.#carry(to, Buffer.concat([head, body])),
          payload,
          closed: (reason) => {
            this.ended ??= reason;
          },
        },
      });
    this.a = make('b', { sendKeys: keys }, () => undefined);
    this.b = make('a', { receiveKeys }, (bytes) => void this.got.push(bytes.toString()));
  }

  /** Sends at a rate, packets a second, for so long, and lets all come in that can. */
  run(seconds: number, rate: number, from = 0, rest = 3): void {
    const interval = SECOND / rate;
    const end = this.now + seconds * SECOND;
    let next = this.now;
    let number = from;
    while (this.now < end + rest * SECOND) {
      while (next <= this.now && next < end) {
        const payload = `packet ${number++}`;
        if (this.a.send(Buffer.from(payload), this.#time())) this.sent.push(payload);
        next += interval;
      }
      this.#step();
    }
  }

  /** Time in which nothing is sent but what keeps the connection alive, in steps of a second. */
  idle(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.now += SECOND - STEP;
      this.#step();
    }
  }

  #step(): void {
    this.now += STEP;
    const due = this.#underWay.filter(({ at }) => at <= this.now).sort((x, y) => x.at - y.at);
    this.#underWay = this.#underWay.filter(({ at }) => at > this.now);
    for (const { to, datagram } of due) this[to].receive(readPacket(datagram), datagram, this.#time());
    if (this.now % 10_000 === 0) {
      this.a.tick(this.#time());
      this.b.tick(this.#time());
    }
  }

  #carry(to: 'a' | 'b', datagram: Buffer): void {
    const { loss, delay, jitter, loses, watch } = this.#line;
    watch?.(datagram, this.now, to);
    if (this.#random() < loss || loses?.(datagram) === true) return;
    this.#underWay.push({ at: this.now + delay + this.#random() * jitter, to, datagram });
  }

  #time(): Micros {
    return micros(this.now);
  }
}
