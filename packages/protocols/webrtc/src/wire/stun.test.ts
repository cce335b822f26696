import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebRtcError } from '../errors.js';
import { IceLite, localUfragOf, makeCredentials } from '../session/ice-lite.js';
import { isAuthentic, isStun, longTermKey, readStun, STUN_TYPE, writeStun } from './stun.js';

/** RFC 5769 §2.1: a request with all that ICE puts into one. */
const REQUEST = Buffer.from(
  '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74' +
    '002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020' +
    '000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf',
  'hex',
);
/** RFC 5769 §2.2 and §2.3: answers with an address of IPv4, and of IPv6. */
const ANSWER_V4 = Buffer.from(
  '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220' +
    '002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
  'hex',
);
const ANSWER_V6 = Buffer.from(
  '010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220' +
    '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c',
  'hex',
);
const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt';

describe('STUN', () => {
  it('reads the examples of RFC 5769, and finds them authentic', () => {
    const request = readStun(REQUEST);
    expect(request).toMatchObject({ type: STUN_TYPE.bindingRequest, username: 'evtj:h6vY', priority: 0x6e0001ff });
    expect(request.role?.kind).toBe('controlled');
    for (const [bytes, address] of [
      [ANSWER_V4, '192.0.2.1'],
      [ANSWER_V6, '2001:db8:1234:5678:11:2233:4455:6677'],
    ] as const) {
      expect(readStun(bytes).mappedAddress).toEqual({ address, port: 32_853 });
    }
    for (const bytes of [REQUEST, ANSWER_V4, ANSWER_V6]) {
      expect(isAuthentic(bytes, readStun(bytes), PASSWORD)).toBe(true);
      expect(isAuthentic(bytes, readStun(bytes), `${PASSWORD}x`)).toBe(false);
    }
  });

  it('reads what it writes', () => {
    const fields = {
      type: STUN_TYPE.bindingRequest,
      transaction: Buffer.from('0102030405060708090a0b0c', 'hex'),
      username: 'us:them',
      useCandidate: true,
      priority: 12,
      role: { kind: 'controlling', tieBreaker: 5n },
      mappedAddress: { address: '2001:db8:0:0:0:0:0:1', port: 9 },
    } as const;
    const bytes = writeStun({ ...fields, mappedAddress: { address: '2001:db8::1', port: 9 } }, 'secret');
    expect(readStun(bytes)).toMatchObject(fields);
    expect(isAuthentic(bytes, readStun(bytes), 'secret')).toBe(true);
    const mapped = writeStun({ ...fields, mappedAddress: { address: '::ffff:192.0.2.7', port: 9 } });
    expect(readStun(mapped).mappedAddress?.address).toBe('0:0:0:0:0:ffff:c000:207');
  });

  it('refuses what was changed or cut, and bears anything', () => {
    // What is behind the integrity, the fingerprint, is not covered by it.
    for (let at = 0; at < REQUEST.length - 8; at++) {
      const bad = Buffer.from(REQUEST);
      bad[at] = (bad[at] ?? 0) ^ 4;
      expect(() => {
        if (!isAuthentic(bad, readStun(bad), PASSWORD)) throw new WebRtcError('not-authentic', 'it was changed');
      }, `byte ${at}`).toThrow(WebRtcError);
      expect(() => readStun(REQUEST.subarray(0, at))).toThrow(WebRtcError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const body = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 4)));
        const header = Buffer.from(REQUEST.subarray(0, 20));
        header.writeUInt16BE(body.length, 2);
        for (const datagram of [Buffer.from(bytes), Buffer.concat([header, body])]) {
          try {
            isAuthentic(datagram, readStun(datagram), PASSWORD);
          } catch (error) {
            expect(error).toBeInstanceOf(WebRtcError);
          }
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('IceLite', () => {
  const from = { protocol: 'udp', address: '192.0.2.9', port: 4000 } as const;
  const transaction = Buffer.alloc(12, 7);
  const local = makeCredentials((bytes) => Buffer.alloc(bytes, 65));
  const request = (fields: object, password = local.password) =>
    writeStun({ type: STUN_TYPE.bindingRequest, transaction, username: `${local.ufrag}:peer`, ...fields }, password);
  const answerTo = (bytes: Buffer) => new IceLite(local, 'peer').receive(bytes, readStun(bytes), from);

  it('answers who knows the password with where it is, and does what it wants', () => {
    const answer = answerTo(request({ useCandidate: true, role: { kind: 'controlling', tieBreaker: 1n } }));
    expect(answer).toMatchObject({ isValid: true, nominated: true });
    const response = answer?.response ?? Buffer.alloc(0);
    expect(isStun(response)).toBe(true);
    expect(readStun(response)).toMatchObject({ type: STUN_TYPE.bindingSuccess, mappedAddress: { port: 4000 } });
    expect(isAuthentic(response, readStun(response), local.password)).toBe(true);
    expect(answerTo(request({}))).toMatchObject({ isValid: true, nominated: false });
    expect(localUfragOf(readStun(request({})))).toBe(local.ufrag);
  });

  it('refuses who does not, or has the wrong peer in mind, or takes our role', () => {
    const codeOf = (bytes: Buffer) => readStun(answerTo(bytes)?.response ?? Buffer.alloc(0)).errorCode;
    expect(codeOf(request({}, 'another'))).toBe(401);
    expect(codeOf(request({ username: `${local.ufrag}:other` }))).toBe(401);
    expect(codeOf(request({ role: { kind: 'controlled', tieBreaker: 1n } }))).toBe(487);
    expect(answerTo(writeStun({ type: STUN_TYPE.bindingSuccess, transaction }))).toBeUndefined();
  });
});

describe('STUN of TURN', () => {
  it('makes the key and the signature of RFC 5769 §2.4', () => {
    const bytes = Buffer.from(
      '000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000' +
        '0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700' +
        '00080014f67024656dd64a3e02b8e0712e85c9a28ca89666',
      'hex',
    );
    const message = readStun(bytes);
    expect(message).toMatchObject({
      username: 'マトリックス',
      nonce: 'f//499k954d6OL34oL9FSTvy64sA',
      realm: 'example.org',
    });
    const key = longTermKey({ username: 'マトリックス', password: 'TheMatrIX' }, 'example.org');
    expect(isAuthentic(bytes, message, key)).toBe(true);
  });

  it('reads what it writes', () => {
    const fields = {
      type: STUN_TYPE.allocateSuccess,
      transaction: Buffer.alloc(12, 3),
      relayedAddress: { address: '192.0.2.3', port: 50_000 },
      lifetime: 600,
      realm: 'example.org',
      nonce: 'n',
    };
    expect(readStun(writeStun(fields))).toMatchObject(fields);
    const refusal = writeStun({ ...fields, error: { code: 438, reason: 'Stale Nonce' } });
    expect(readStun(refusal)).toMatchObject({ errorCode: 438, errorReason: 'Stale Nonce' });
    const request = writeStun({ ...fields, relaysUdp: true, peerAddress: { address: '192.0.2.4', port: 9 } });
    expect(request.includes(Buffer.from('0019000411000000', 'hex'))).toBe(true);
    expect(() => readStun(writeStun({ ...fields, nonce: 'x'.repeat(800) }))).toThrow(/NONCE of 800 bytes/);
  });
});
