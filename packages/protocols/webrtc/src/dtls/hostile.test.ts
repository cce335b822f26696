import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HANDSHAKE, type HandshakeMessage, writeFragments } from './handshake-message.js';
import { DtlsEndpoint } from './index.js';
import { CONTENT, recordNumber, writeRecord } from './record.js';
import { CERTIFICATES, newCertificate, type Side, VirtualLine } from './testing/virtual-line.js';
import { Turns } from './turns.js';

/** Makes the next Finished of a side a wrong one. */
const forgery = vi.hoisted(() => ({ of: undefined as 'client' | 'server' | undefined }));

vi.mock('./key-schedule.js', async (original) => {
  const real = await original<typeof import('./key-schedule.js')>();
  const verifyData: typeof real.verifyData = (master, side, transcript) => {
    const data = real.verifyData(master, side, transcript);
    // Whoever sends it computes it first; the second time it is the other side that checks.
    if (forgery.of !== side) return data;
    forgery.of = undefined;
    data[11] = (data[11] ?? 0) ^ 1;
    return data;
  };
  return { ...real, verifyData };
});

afterEach(() => {
  forgery.of = undefined;
});

/** Where the content of a handshake message begins in a datagram of whole messages that aren't sealed. */
function contentOf(datagram: Buffer, type: number): { begin: number; end: number } | undefined {
  for (let at = 0; at + 25 <= datagram.length; ) {
    const end = at + 13 + datagram.readUInt16BE(at + 11);
    const isOpen = datagram[at] === CONTENT.handshake && datagram.readUInt16BE(at + 3) === 0;
    if (isOpen && datagram[at + 13] === type) return { begin: at + 25, end };
    at = end;
  }
  return undefined;
}

/** Changes one byte of a message, counted from its end. */
function tampering(type: number, fromEnd: number) {
  return (datagram: Buffer): Buffer => {
    const place = contentOf(datagram, type);
    if (place !== undefined) datagram.writeUInt8((datagram[place.end - fromEnd] ?? 0) ^ 1, place.end - fromEnd);
    return datagram;
  };
}

const handshakeRecord = (message: HandshakeMessage, recordSequence: number): Buffer => {
  const [fragment = Buffer.alloc(0)] = writeFragments(message, 60_000);
  return writeRecord(CONTENT.handshake, recordNumber(0, recordSequence), fragment);
};

describe('a peer that is not who it says', () => {
  it.each([
    ['the end of the signature', 1],
    ['the middle of the signature', 30],
    // The signature has 70 to 72 bytes, and 4 before it.
    ['the key', 90],
  ])('is refused by the client where ServerKeyExchange was changed in %s', (_where, fromEnd) => {
    const line = new VirtualLine({ change: tampering(HANDSHAKE.serverKeyExchange, fromEnd) }).handshake();
    expect(line.keys).toEqual({});
    expect(line.closed.client).toMatch(/does not own its certificate/);
    expect(line.closed.server).toMatch(/alert 51/);
  });

  it.each([1, 30])('is refused by the server where CertificateVerify was changed %i bytes from its end', (fromEnd) => {
    const line = new VirtualLine({ change: tampering(HANDSHAKE.certificateVerify, fromEnd) }).handshake();
    expect(line.keys).toEqual({});
    expect(line.closed.server).toMatch(/does not own its certificate/);
    expect(line.closed.client).toMatch(/alert 51/);
  });

  it.each(['client', 'server'] as const)("is refused where the %s's Finished is wrong", (side) => {
    forgery.of = side;
    const line = new VirtualLine().handshake();
    const other = side === 'client' ? 'server' : 'client';
    expect(forgery.of).toBe(undefined);
    expect(line.keys[other]).toBe(undefined);
    expect(line.closed[other]).toMatch(/tampered/);
    line.run(100);
    expect(line.closed[side]).toMatch(/alert 51/);
  });

  it.each(['client', 'server'] as const)('is refused where the %s has the certificate but not its key', (side) => {
    const { privateKey } = newCertificate();
    const line = new VirtualLine({ shown: { [side]: { ...CERTIFICATES[side], privateKey } } }).handshake();
    expect(line.keys).toEqual({});
    expect(line.closed[side === 'client' ? 'server' : 'client']).toMatch(/does not own its certificate/);
  });

  it.each(['client', 'server'] as const)('is refused by the %s where its certificate is another one', (side) => {
    const expected = { [side]: { algorithm: 'sha-256', value: newCertificate().fingerprint } };
    const line = new VirtualLine({ expected }).handshake();
    expect(line.keys).toEqual({});
    expect(line.closed[side]).toMatch(/another certificate/);
    expect(line.closed[side === 'client' ? 'server' : 'client']).toMatch(/alert 42/);
  });

  it.each([
    { algorithm: 'sha-1', value: '' },
    { algorithm: '', value: '' },
    { algorithm: 'sha-256', value: '' },
    { algorithm: 'md5', value: 'undefined' },
  ])('is refused by a fingerprint that says nothing: %o', (fingerprint) => {
    const line = new VirtualLine({ expected: { client: fingerprint } }).handshake();
    expect(line.keys).toEqual({});
    expect(line.closed.client).toMatch(/another certificate/);
  });

  it.each([
    ['client', HANDSHAKE.certificate],
    ['server', HANDSHAKE.serverHello],
    ['server', HANDSHAKE.certificate],
    ['server', HANDSHAKE.serverKeyExchange],
  ] as const)('is refused where the %s leaves out message %i', (side, left) => {
    // The messages behind it take its place in the numbering.
    let gone = false;
    const change = (datagram: Buffer, from: Side): Buffer => {
      if (from !== side) return datagram;
      const kept: Buffer[] = [];
      for (let at = 0; at < datagram.length; ) {
        const end = at + 13 + datagram.readUInt16BE(at + 11);
        const record = datagram.subarray(at, end);
        const isOpen = record[0] === CONTENT.handshake && record.readUInt16BE(3) === 0;
        if (isOpen && record[13] === left) gone = true;
        else {
          const sequence = isOpen ? record.readUInt16BE(17) : 0;
          if (gone && isOpen) record.writeUInt16BE(sequence - 1, 17);
          kept.push(record);
        }
        at = end;
      }
      gone = false;
      return Buffer.concat(kept);
    };
    const line = new VirtualLine({ change }).handshake();
    expect(line.keys).toEqual({});
    expect(line.closed[side === 'client' ? 'server' : 'client']).toMatch(/out of turn/);
  });
});

describe('the turns of messages', () => {
  const { clientHello, helloVerifyRequest, serverHello, certificate, serverKeyExchange } = HANDSHAKE;
  const { certificateRequest, serverHelloDone, clientKeyExchange, certificateVerify, finished } = HANDSHAKE;
  const orders = {
    client: [[clientHello, certificate, clientKeyExchange, certificateVerify, finished]],
    server: [[helloVerifyRequest], []].flatMap((first) =>
      [[certificateRequest], []].map((asked) => {
        return [...first, serverHello, certificate, serverKeyExchange, ...asked, serverHelloDone, finished];
      }),
    ),
  };

  it.each(['client', 'server'] as const)('of a %s are those of the RFC and no others', (peer) => {
    const all = Object.values(HANDSHAKE);
    for (const order of orders[peer]) {
      for (let length = 0; length <= order.length; length++) {
        for (const next of all) {
          const taken = [...order.slice(0, length), next];
          const turns = new Turns(peer);
          const take = () => {
            for (const type of taken) turns.take(type);
          };
          const isRight = orders[peer].some((right) => taken.every((type, at) => right[at] === type));
          if (isRight) take();
          else expect(take).toThrow(/out of turn/);
        }
      }
    }
  });
});

describe('somebody else on the line', () => {
  /** Datagrams that anybody can make. */
  const forged = [
    // The next message that an end waits for, and nonsense.
    ...[0, 1, 2, 3, 4, 5, 6].flatMap((sequence) =>
      [0, 1, 11, 16, 20, 99].map((type) => handshakeRecord({ type, sequence, body: Buffer.alloc(40) }, 70 + sequence)),
    ),
    writeRecord(CONTENT.handshake, recordNumber(0, 90), Buffer.alloc(5)),
    writeRecord(CONTENT.alert, recordNumber(0, 91), Buffer.from([2, 40])),
    writeRecord(CONTENT.alert, recordNumber(0, 92), Buffer.from([1, 0])),
    writeRecord(CONTENT.alert, recordNumber(1, 93), Buffer.alloc(40)),
    writeRecord(CONTENT.handshake, recordNumber(1, 2 ** 48 - 1), Buffer.alloc(60)),
  ];

  it('cannot end what is connected, nor make it answer', () => {
    for (const side of ['client', 'server'] as const) {
      const line = new VirtualLine().handshake().run(1000);
      const before = line.sent.length;
      for (const datagram of forged) {
        line.ends[side].receive(datagram, line.now);
        line.run(100);
      }
      expect([side, line.closed]).toEqual([side, {}]);
      expect(line.sent.length).toBe(before);
      line.ends[side].close();
      expect(line.run(100).closed[side === 'client' ? 'server' : 'client']).toBe('closed by the peer');
    }
  });

  it('cannot shut a handshake out by a record number far ahead', () => {
    const line = new VirtualLine();
    const far = writeRecord(CONTENT.changeCipherSpec, recordNumber(0, 2 ** 48 - 1), Buffer.from([1]));
    line.ends.client.receive(far, 0);
    line.ends.server.receive(far, 0);
    line.handshake();
    expect(line.closed).toEqual({});
    expect(line.now).toBeLessThan(200);
  });

  it('cannot use a sealed record again', () => {
    const line = new VirtualLine().handshake().run(1000);
    const sealed = line.sent.filter(({ from }) => from === 'client').map(({ datagram }) => datagram);
    const before = line.sent.length;
    for (const datagram of sealed) line.ends.server.receive(datagram, line.now);
    expect(line.sent.length).toBe(before);
  });
});

describe('the bytes of a handshake', () => {
  it('each changed in turn, give no keys that differ, nor a throw', () => {
    const lengths = new VirtualLine().handshake().sent.map(({ datagram }) => datagram.length);
    expect(lengths.length).toBeGreaterThanOrEqual(4);
    let connected = 0;
    for (const [which, length] of lengths.entries()) {
      for (let at = 0; at < length; at++) {
        const mask = 1 << (at % 8);
        const change = (datagram: Buffer, _from: Side, count: number): Buffer => {
          if (count === which && at < datagram.length) datagram.writeUInt8((datagram[at] ?? 0) ^ mask, at);
          return datagram;
        };
        const { keys, calls } = new VirtualLine({ change }).handshake();
        expect(calls.connected).toBeLessThanOrEqual(2);
        expect(calls.closed).toBeLessThanOrEqual(2);
        if (!keys.client || !keys.server) continue;
        connected += 1;
        expect(keys.client.localKey).toEqual(keys.server.remoteKey);
        expect(keys.client.profile).toBe(keys.server.profile);
      }
    }
    // Where the datagram was dropped for it, and sent again.
    expect(connected).toBeGreaterThan(10);
  }, 60_000);

  it('that anything takes the place of are borne', () => {
    const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const type = fc.oneof(fc.constantFrom(...Object.values(HANDSHAKE)), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom('client', 'server'),
        fc.array(fc.tuple(type, body), { maxLength: 8 }),
        (role, all) => {
          const closed = vi.fn();
          const end = newEnd(role, { closed });
          end.start(0);
          for (const [sequence, [messageType, content]] of all.entries()) {
            end.receive(content, 0);
            end.receive(handshakeRecord({ type: messageType, sequence, body: content }, sequence), 0);
          }
          for (let now = 0; now < 30_000; now += 400) end.tick(now);
          expect(closed.mock.calls.length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('that pieces of real messages take the place of are borne', () => {
    const real = new VirtualLine().handshake().sent.map(({ datagram }) => datagram);
    const change = fc.record({
      which: fc.nat(real.length - 1),
      at: fc.nat(1200),
      byte: fc.nat(255),
      cut: fc.nat(1200),
    });
    fc.assert(
      fc.property(fc.constantFrom('client', 'server'), fc.array(change, { maxLength: 12 }), (role, changes) => {
        const end = newEnd(role, {});
        end.start(0);
        for (const { which, at, byte, cut } of changes) {
          const datagram = Buffer.from(real[which] ?? Buffer.alloc(0));
          if (at < datagram.length) datagram.writeUInt8(byte, at);
          end.receive(cut % 3 === 0 ? datagram.subarray(0, cut) : datagram, 0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('take no more memory than a handshake may, whatever they announce', () => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    const memory = (): number => {
      for (let time = 0; typeof collect === 'function' && time < 3; time++) collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const ends = Array.from({ length: 20 }, () => newEnd('server', {}));
    const flood = (end: DtlsEndpoint): void => {
      for (let count = 0; count < 3000; count++) {
        // One byte each of messages of 16 KiB; the first never gets whole.
        const fragment = Buffer.alloc(13);
        fragment.writeUInt8(1, 0);
        fragment.writeUIntBE(16_384, 1, 3);
        fragment.writeUInt16BE(count % 50, 4);
        fragment.writeUIntBE(count % 16_000, 6, 3);
        fragment.writeUIntBE(1, 9, 3);
        end.receive(writeRecord(CONTENT.handshake, recordNumber(0, count), fragment), 0);
        end.receive(writeRecord(CONTENT.handshake, recordNumber(1, count), randomBytes(1000)), 0);
      }
    };
    const before = memory();
    for (const end of ends) flood(end);
    const kept = (memory() - before) / ends.length;
    for (const end of ends) flood(end);
    expect(kept).toBeLessThan(300_000);
    expect((memory() - before) / ends.length).toBeLessThan(300_000);
  });

  it('that make many small fragments of one message cost little', () => {
    const end = newEnd('server', {});
    const empty = Buffer.alloc(12);
    empty.writeUInt8(1, 0);
    empty.writeUIntBE(16_384, 1, 3);
    const datagram = writeRecord(CONTENT.handshake, recordNumber(0, 0), Buffer.concat(Array(95).fill(empty)));
    const begin = performance.now();
    for (let count = 0; count < 2000; count++) {
      recordNumber(0, count).copy(datagram, 3);
      end.receive(datagram, 0);
    }
    expect(performance.now() - begin).toBeLessThan(1500);
  });

  function newEnd(role: Side, { closed = () => undefined }: { closed?: (reason: string) => void }): DtlsEndpoint {
    return new DtlsEndpoint({
      role,
      certificate: CERTIFICATES[role],
      remoteFingerprint: { algorithm: 'sha-256', value: CERTIFICATES.client.fingerprint },
      random: randomBytes,
      send: () => undefined,
      connected: () => expect.unreachable(),
      closed,
    });
  }
});
