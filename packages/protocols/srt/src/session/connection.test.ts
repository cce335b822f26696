import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SocketId } from '../wire/packet.js';
import { readPacket } from '../wire/packet.js';
import { sequence } from '../wire/sequence.js';
import { type Micros, micros, type Timestamp, timestampOf } from '../wire/timestamp.js';
import { type ConnectionTerms, SrtConnection } from './connection.js';
import { ReceiveKeys, type RefreshPolicy, SendKeys } from './keys.js';

const SECOND = 1_000_000;
const STEP = 1000;

/** Numbers that look like chance and are the same in each run. */
function chance(seed: number): () => number {
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

interface LinkOptions extends Partial<Line> {
  readonly latency?: number;
  readonly initial?: number;
  readonly startedAt?: number;
  readonly keyBytes?: number;
  readonly refresh?: RefreshPolicy;
}

/** Two connections on a virtual clock, with a line between them that loses, delays and reorders. */
class Link {
  now: number;
  readonly got: string[] = [];
  readonly sent: string[] = [];
  readonly a: SrtConnection;
  readonly b: SrtConnection;
  ended: string | undefined;
  readonly #line: Line;
  readonly #random = chance(7);
  #underWay: { at: number; to: 'a' | 'b'; datagram: Buffer }[] = [];

  constructor(options: LinkOptions = {}) {
    const { latency = 400, initial = 100, startedAt = 0, keyBytes, refresh } = options;
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
    if (keys !== undefined) expect(receiveKeys?.take(keys.announcement)).toBe(true);
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
          sendKeys: undefined,
          receiveKeys: undefined,
          ...own,
        },
        startedAt: micros(startedAt),
        now: micros(startedAt),
        output: {
          datagram: (datagram) => this.#carry(to, datagram),
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
  run(seconds: number, rate: number, from = 0): void {
    const interval = SECOND / rate;
    const end = this.now + seconds * SECOND;
    let next = this.now;
    let number = from;
    while (this.now < end + 3 * SECOND) {
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
    for (const { to, datagram } of due) this[to].receive(readPacket(datagram), datagram.subarray(0, 16), this.#time());
    if (this.now % 10_000 === 0) {
      this.a.tick(this.#time());
      this.b.tick(this.#time());
    }
  }

  #carry(to: 'a' | 'b', datagram: Buffer): void {
    const { loss, delay, jitter } = this.#line;
    if (this.#random() < loss) return;
    // As a network does: what is changed later is another packet.
    this.#underWay.push({ at: this.now + delay + this.#random() * jitter, to, datagram: Buffer.from(datagram) });
  }

  #time(): Micros {
    return micros(this.now);
  }
}

describe('SrtConnection', () => {
  it.each([
    [0, 0],
    [0.02, 10_000],
    [0.05, 10_000],
    [0.1, 10_000],
    [0.2, 20_000],
  ])('brings every packet in order over a line that loses %d and jitters by %d µs', (loss, jitter) => {
    const link = new Link({ loss, jitter, delay: 40_000, latency: 400 });
    link.run(20, 500);
    expect(link.sent.length).toBe(10_000);
    // At a fifth lost, a packet may lose every one of the tries that its latency leaves.
    const missing = link.sent.length - link.got.length;
    expect(missing).toBeLessThanOrEqual(loss < 0.1 ? 0 : loss < 0.2 ? 5 : 80);
    const numbers = link.got.map((text) => Number(text.slice(7)));
    expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
    const { pktRetrans, msRTT } = link.a.statistics(micros(link.now));
    if (loss > 0) expect(pktRetrans).toBeGreaterThan(10_000 * loss * 0.8);
    else expect(pktRetrans).toBe(0);
    expect(msRTT).toBeGreaterThan(0);
  });

  it('asks for little again on a line that only reorders', () => {
    const link = new Link({ jitter: 10_000, delay: 40_000 });
    link.run(20, 500);
    expect(link.got).toEqual(link.sent);
    expect(link.a.statistics(micros(link.now)).pktRetrans).toBeLessThan(300);
  });

  it('delivers each packet after its latency, not before', () => {
    const link = new Link({ delay: 20_000, latency: 200 });
    link.a.send(Buffer.from('packet 0'), micros(link.now));
    const sentAt = link.now;
    while (link.got.length === 0 && link.now < SECOND) link.run(0.001, 1, 99);
    expect(link.now - sentAt).toBeGreaterThanOrEqual(200_000);
  });

  it('gives up what comes too late, counts it, and goes on', () => {
    const link = new Link({ loss: 0.3, delay: 100_000, latency: 120 });
    link.run(10, 200);
    const { pktRcvDrop, pktRcvBelated } = link.b.statistics(micros(link.now));
    expect(pktRcvDrop).toBeGreaterThan(100);
    expect(link.got.length + pktRcvDrop).toBe(link.sent.length);
    expect(pktRcvBelated).toBeGreaterThan(0);
    expect(link.ended).toBeUndefined();
  });

  it('goes on over the wrap of sequence numbers and of timestamps', () => {
    const link = new Link({ loss: 0.05, jitter: 5000, initial: 0x7fff_ffff - 500 });
    link.run(10, 300);
    expect(link.got).toEqual(link.sent);
    // 71 minutes in 32 bits of microseconds: a day has twenty such turns.
    const day = new Link({ loss: 0.01 });
    for (let hour = 0; hour < 24; hour++) {
      day.run(1, 100, hour * 100);
      day.idle(3596);
    }
    expect(day.ended).toBeUndefined();
    expect(day.got).toEqual(day.sent);
  }, 60_000);

  it.each([16, 24, 32])('changes its key of %i bytes in the middle without a loss', (keyBytes) => {
    const link = new Link({ loss: 0.02, keyBytes, refresh: { packets: 1000, preAnnounce: 200 } });
    link.run(15, 400);
    expect(link.got).toEqual(link.sent);
    expect(link.sent.length).toBe(6000);
    expect(link.b.statistics(micros(link.now)).pktRcvUndecrypt).toBe(0);
  });

  it('lets what has come be delivered when the peer says goodbye', () => {
    const link = new Link({ delay: 1000, latency: 500 });
    for (let number = 0; number < 10; number++) link.a.send(Buffer.from(`packet ${number}`), micros(link.now));
    link.a.close('done', micros(link.now));
    expect(link.ended).toBe('done');
    link.run(0, 1);
    expect(link.got).toHaveLength(10);
    expect(link.b.isClosed).toBe(true);
  });

  it('takes a peer that is silent for gone', () => {
    const link = new Link({ loss: 1 });
    link.run(4, 10);
    expect(link.ended).toMatch(/silent for 5 s/);
  });

  it('bears anything that comes, within its memory', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 0, maxLength: 64 }), { maxLength: 40 }), (datagrams) => {
        const link = new Link();
        for (const bytes of datagrams) {
          const datagram = Buffer.from(bytes);
          try {
            link.b.receive(readPacket(datagram), datagram.subarray(0, 16), micros(link.now));
          } catch (error) {
            expect((error as Error).name).toBe('SrtError');
          }
        }
        link.b.tick(micros(link.now + 10_000));
      }),
      { numRuns: 1000 },
    );
  });

  it('bears control packets full of nonsense', () => {
    const random = chance(3);
    let link = new Link({ loss: 0.1, keyBytes: 16 });
    for (let round = 0; round < 50_000; round++) {
      if (round % 500 === 0) {
        link = new Link({ loss: 0.1, keyBytes: 16 });
        link.run(0.05, 100);
      }
      const datagram = Buffer.alloc(16 + Math.floor(random() * 48));
      for (let at = 0; at < datagram.length; at++) datagram[at] = Math.floor(random() * 256);
      // Near to what is under way, and of each type: nonsense that gets far.
      if (random() < 0.8) datagram.writeUInt16BE(0x8000 + Math.floor(random() * 9), 0);
      if (random() < 0.2) datagram.writeUInt32BE(0xffff_0003, 0);
      if (datagram.length >= 24 && random() < 0.5) datagram.writeUInt32BE(100 + Math.floor(random() * 20), 16);
      for (const side of [link.a, link.b]) {
        try {
          side.receive(readPacket(datagram), datagram.subarray(0, 16), micros(link.now));
          side.tick(micros(link.now));
        } catch (error) {
          expect((error as Error).name).toBe('SrtError');
        }
      }
    }
  });
});
