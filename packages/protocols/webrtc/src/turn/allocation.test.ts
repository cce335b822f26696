import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAuthentic, longTermKey, readStun, STUN_TYPE, type StunFields, writeStun } from '../wire/stun.js';
import { TurnAllocation, type TurnEvent } from './allocation.js';

const CREDENTIALS = { username: '1900000000:doctor', password: 'p' };
const REALM = 'example.org';
const KEY = longTermKey(CREDENTIALS, REALM);
const RELAYED = { address: '192.0.2.1', port: 50_000 };

/** A client, what it sent, and what came of it; `answer` speaks for the server. */
function makeClient({ isStream = false } = {}) {
  const sent: Buffer[] = [];
  const events: TurnEvent[] = [];
  let count = 0;
  const client = new TurnAllocation({
    credentials: CREDENTIALS,
    isStream,
    random: (size) => Buffer.alloc(size, ++count),
    timeoutMs: 8000,
    output: { bytes: (bytes) => sent.push(bytes), event: (event) => events.push(event) },
  });
  const last = () => readStun(sent.at(-1) ?? Buffer.alloc(0));
  const bytesOf = (fields: Omit<StunFields, 'transaction'>, key?: Buffer) =>
    writeStun({ ...fields, transaction: last().transaction }, key);
  const answer = (fields: Omit<StunFields, 'transaction'>, key?: Buffer) => client.receive(bytesOf(fields, key), 0);
  const challenge = (nonce = 'n1', code = 401) =>
    answer({ type: STUN_TYPE.allocateError, error: { code, reason: 'Unauthorized' }, realm: REALM, nonce });
  const succeed = (key?: Buffer) =>
    answer({ type: STUN_TYPE.allocateSuccess, relayedAddress: RELAYED, lifetime: 600 }, key);
  return { client, sent, events, last, bytesOf, answer, challenge, succeed };
}

describe('TurnAllocation', () => {
  it('asks, is asked who it is, shows its credentials, and is given a relay', () => {
    const { client, sent, events, last, challenge, succeed, answer } = makeClient();
    client.allocate(0);
    expect(last()).toMatchObject({ type: STUN_TYPE.allocateRequest, username: undefined, integrityAt: undefined });
    challenge();
    expect(last()).toMatchObject({ username: CREDENTIALS.username, realm: REALM, nonce: 'n1' });
    expect(isAuthentic(sent.at(-1) ?? Buffer.alloc(0), last(), KEY)).toBe(true);
    succeed(KEY);
    expect(events).toEqual([
      { kind: 'allocated', relayed: RELAYED, mapped: undefined, lifetime: 600, isGuarded: true },
    ]);
    client.permit({ address: '10.0.0.1', port: 9 }, 0);
    answer({ type: STUN_TYPE.createPermissionError, error: { code: 403, reason: 'Forbidden IP' } }, KEY);
    client.permit({ address: '10.0.0.2', port: 9 }, 0);
    answer({ type: STUN_TYPE.createPermissionSuccess }, KEY);
    client.release(0);
    expect(last().lifetime).toBe(0);
    answer({ type: STUN_TYPE.refreshSuccess, lifetime: 0 }, KEY);
    expect(events.slice(1)).toEqual([
      { kind: 'refused', step: 'permit', code: 403, reason: 'Forbidden IP' },
      { kind: 'permitted', peer: { address: '10.0.0.2', port: 9 } },
      { kind: 'released' },
    ]);
  });

  it('tells of a server that relays for anybody', () => {
    const { client, events, succeed } = makeClient();
    client.allocate(0);
    succeed();
    expect(events).toMatchObject([{ kind: 'allocated', isGuarded: false }]);
  });

  it('takes a second 401 for a no, and a stale nonce for a reason to ask again, three times', () => {
    const wrong = makeClient();
    wrong.client.allocate(0);
    wrong.challenge();
    wrong.challenge();
    expect(wrong.events).toEqual([{ kind: 'refused', step: 'allocate', code: 401, reason: 'Unauthorized' }]);

    const stale = makeClient();
    stale.client.allocate(0);
    stale.challenge();
    for (const nonce of ['n2', 'n3', 'n4']) {
      stale.challenge(nonce, 438);
      expect(stale.last().nonce).toBe(nonce);
    }
    stale.challenge('n5', 438);
    expect(stale.events).toMatchObject([{ kind: 'refused', code: 438 }]);
  });

  it('believes no answer that is not signed by who knows the key, or is to another question', () => {
    const { client, events, bytesOf, challenge, succeed, answer } = makeClient();
    client.allocate(0);
    const early = bytesOf({ type: STUN_TYPE.allocateSuccess, relayedAddress: RELAYED }, KEY);
    challenge();
    client.receive(early, 0);
    succeed();
    succeed(longTermKey({ ...CREDENTIALS, password: 'q' }, REALM));
    answer({ type: STUN_TYPE.bindingSuccess, mappedAddress: RELAYED }, KEY);
    expect(events).toEqual([]);
    succeed(KEY);
    expect(events).toHaveLength(1);
  });

  it('asks again over UDP after 0.5 s, 1 s, 2 s …, once over TCP, and gives up in time', () => {
    for (const [isStream, times] of [
      [false, [0, 500, 1500, 3500, 7500]],
      [true, [0]],
    ] as const) {
      const { client, sent, events } = makeClient({ isStream });
      client.allocate(0);
      const at = [0];
      for (let now = 0; now < 8000; now += 50) {
        const before = sent.length;
        client.tick(now);
        if (sent.length > before) at.push(now);
      }
      expect(at).toEqual(times);
      expect(events).toEqual([]);
      client.tick(8000);
      expect(events).toEqual([{ kind: 'failed', step: 'allocate', detail: 'no answer' }]);
    }
  });

  it('reads a stream in pieces of any size, channel data in between', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (size) => {
        const { client, events, challenge, bytesOf } = makeClient({ isStream: true });
        client.allocate(0);
        challenge();
        const channelData = Buffer.from('40000003aabbcc00', 'hex');
        const success = bytesOf({ type: STUN_TYPE.allocateSuccess, relayedAddress: RELAYED, lifetime: 1 }, KEY);
        const stream = Buffer.concat([channelData, success]);
        for (let at = 0; at < stream.length; at += size) client.receive(stream.subarray(at, at + size), 0);
        expect(events).toMatchObject([{ kind: 'allocated' }]);
      }),
    );
  });

  it('fails, once, for a stream that is none of STUN, and for a way that is gone', () => {
    const { client, events } = makeClient({ isStream: true });
    client.allocate(0);
    client.receive(Buffer.from([0x80, 0, 0, 0]), 0);
    client.receive(Buffer.from('HTTP/1.1 400 Bad Request'), 0);
    expect(events).toMatchObject([
      { kind: 'failed', step: 'allocate', detail: expect.stringMatching(/no TURN server/) },
    ]);
    client.release(0);
    expect(events[1]).toMatchObject({ kind: 'failed', step: 'release' });
  });

  it('bears anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isStream) => {
        const { client, sent, challenge } = makeClient({ isStream });
        client.allocate(0);
        const header = Buffer.from(sent[0]?.subarray(0, 20) ?? []);
        const body = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 4)));
        header.writeUInt16BE(STUN_TYPE.allocateError, 0);
        header.writeUInt16BE(body.length, 2);
        client.receive(Buffer.concat([header, body]), 0);
        client.receive(Buffer.from(bytes), 0);
        challenge();
      }),
      { numRuns: 2000 },
    );
  });
});
