import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SrtError } from '../errors.js';
import { chance, VirtualLink } from '../testing/virtual-link.js';
import { HANDSHAKE_TYPE, readHandshake, writeHandshake } from '../wire/handshake.js';
import { readPacket, type SocketId } from '../wire/packet.js';
import { sequence } from '../wire/sequence.js';
import { micros, type Timestamp } from '../wire/timestamp.js';
import { CallerHandshake } from './caller-handshake.js';
import { accept, inductionAnswer, readConclusion } from './listener-handshake.js';
import { RendezvousHandshake } from './rendezvous-handshake.js';
import { DEFAULT_OPTIONS } from './terms.js';

/** A million in the nightly run (`npm run test:fuzz`). */
const PACKETS = Number(process.env.SLUICE_FUZZ_PACKETS ?? 50_000);
/** A connection is worn out by what it has borne: a new one bears other things. */
const PACKETS_PER_LINK = 500;

/** What may throw for a peer's sake is an SrtError and nothing else. */
function bear(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof SrtError)) throw error;
  }
}

/** Changes a few bytes, cuts something off, or puts something behind. */
function mutate(original: Buffer, random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  const kind = random();
  if (kind < 0.1) return original.subarray(0, below(original.length + 1));
  const mutated = kind < 0.2 ? Buffer.concat([original, randomBytes(below(64))]) : Buffer.from(original);
  const changes = 1 + below(4);
  for (let change = 0; change < changes && mutated.length > 0; change++) {
    // The first bytes say the most.
    const at = random() < 0.7 ? below(Math.min(64, mutated.length)) : below(mutated.length);
    mutated[at] = random() < 0.5 ? below(256) : (mutated[at] ?? 0) ^ (1 << below(8));
  }
  return mutated;
}

describe('mutated packets', () => {
  it(`bears ${PACKETS} of them in connections of every kind, within its memory`, () => {
    const random = chance(11);
    const kinds = [{}, { keyBytes: 16 }, { keyBytes: 32, filter: 'fec,cols:5,rows:4' }, { filter: 'fec,cols:4' }];
    let seen: Buffer[] = [];
    let link = new VirtualLink();
    const before = process.memoryUsage();
    for (let count = 0; count < PACKETS; count++) {
      if (count % PACKETS_PER_LINK === 0) {
        seen = [];
        const kind = kinds[(count / PACKETS_PER_LINK) % kinds.length];
        link = new VirtualLink({ loss: 0.1, ...kind, watch: (datagram) => seen.push(datagram) && undefined });
        link.run(0.2, 200, 0, 0.1);
      }
      const original = seen[Math.floor(random() * seen.length)];
      if (original === undefined) throw new Error('nothing was sent');
      const mutated = mutate(original, random);
      for (const side of [link.a, link.b]) {
        bear(() => side.receive(readPacket(mutated), mutated, micros(link.now)));
        if (count % 10 === 0) side.tick(micros(link.now));
      }
      if (count % 10 === 0) link.now += 10_000;
      if (seen.length > 2000) seen.length = 1000;
    }
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(256 * 1024 * 1024);
  }, 3_600_000);

  it('bears them in handshakes of every kind', () => {
    const random = chance(5);
    const peer = { address: '127.0.0.1', port: 9000 };
    const own = {
      own: { ...DEFAULT_OPTIONS, packetFilter: 'fec,cols:4' },
      socketId: 7 as SocketId,
      initialSequence: sequence(5),
      passphrase: 'a good passphrase',
      keyBytes: 16,
      random: randomBytes,
      peer,
    };
    const caller = new CallerHandshake({ ...own, streamId: 'publish:live/show' });
    const induction = writeHandshake(caller.message);
    caller.receive(inductionAnswer(caller.message, peer, 99), 0 as Timestamp);
    const conclusion = writeHandshake(caller.message);
    const wave = writeHandshake(new RendezvousHandshake({ ...own, cookie: 1 }).message);
    const conclude = (content: Buffer) => {
      const read = readConclusion(readHandshake(content));
      if (typeof read === 'number') return read;
      return accept(read, { ...own, timestamp: 0 as Timestamp });
    };
    const good = conclude(conclusion);
    if (typeof good === 'number') throw new Error(`refused: ${good}`);
    const answers = [induction, conclusion, wave, writeHandshake(good.answer)];
    // Deriving a key takes a millisecond: fewer of these.
    for (let count = 0; count < PACKETS / 50; count++) {
      const content = mutate(answers[count % answers.length] ?? wave, random);
      bear(() => conclude(content));
      bear(() => new CallerHandshake({ ...own, streamId: '' }).receive(readHandshake(content), 0 as Timestamp));
      const rendezvous = new RendezvousHandshake({ ...own, cookie: 1 });
      for (let again = 0; again < 2; again++) {
        bear(() => rendezvous.receive(readHandshake(content), 0 as Timestamp));
      }
    }
    expect(readHandshake(conclusion).type).toBe(HANDSHAKE_TYPE.conclusion);
  }, 3_600_000);

  it('bears bytes that were never a packet', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 0, maxLength: 64 }), { maxLength: 40 }), (datagrams) => {
        const link = new VirtualLink();
        for (const bytes of datagrams) {
          const datagram = Buffer.from(bytes);
          bear(() => link.b.receive(readPacket(datagram), datagram, micros(link.now)));
        }
        link.b.tick(micros(link.now + 10_000));
      }),
      { numRuns: 1000 },
    );
  });
});
