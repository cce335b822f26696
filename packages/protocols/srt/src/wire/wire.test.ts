import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SrtError } from '../errors.js';
import { readAck, writeAck } from './ack.js';
import { readCapabilities, writeCapabilities } from './capabilities.js';
import { readDropRequest, writeDropRequest } from './drop-request.js';
import { readExtensionText, writeExtensionText } from './extension-text.js';
import { HANDSHAKE_TYPE, type Handshake, handshakeAddress, readHandshake, writeHandshake } from './handshake.js';
import { type KeyMaterial, readKeyMaterial, writeKeyMaterial } from './key-material.js';
import { readNak, writeNak } from './nak.js';
import { markRetransmitted, readPacket, type SocketId, writeControl, writeDataHeader } from './packet.js';
import { sequence, sequenceAdd, sequenceDistance } from './sequence.js';
import { TimestampUnwrapper, timestampOf } from './timestamp.js';

const HANDSHAKE: Handshake = {
  version: 5,
  encryption: 2,
  extensionField: 7,
  initialSequence: sequence(12_345),
  mtu: 1500,
  flowWindow: 8192,
  type: HANDSHAKE_TYPE.conclusion,
  socketId: 77 as SocketId,
  cookie: 0xdead_beef,
  peerAddress: handshakeAddress('192.0.2.7'),
  extensions: [
    { type: 1, content: writeCapabilities({ version: 0x10501, flags: 0xbf, receiverLatency: 120, senderLatency: 80 }) },
    { type: 5, content: writeExtensionText('#!::r=live/show,m=publish') },
  ],
};

const KEY: KeyMaterial = {
  keys: 'even',
  cipher: 'ctr',
  salt: Buffer.alloc(16, 7),
  keyBytes: 16,
  wrapped: Buffer.alloc(24, 9),
};

const READERS: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  packet: readPacket,
  handshake: readHandshake,
  ack: readAck,
  nak: readNak,
  'drop request': readDropRequest,
  capabilities: readCapabilities,
  'key material': readKeyMaterial,
  text: readExtensionText,
};

describe('the wire of SRT', () => {
  it('carries data packets', () => {
    const header = Buffer.alloc(16);
    const packet = {
      sequence: sequence(0x7fff_ffff),
      boundary: 3,
      inOrder: true,
      key: 'odd',
      retransmitted: false,
      messageNumber: 0x3ff_ffff,
      timestamp: timestampOf(-1),
      destination: 5 as SocketId,
    } as const;
    writeDataHeader(header, packet);
    expect(readPacket(Buffer.concat([header, Buffer.from('ts')]))).toEqual({
      ...packet,
      kind: 'data',
      payload: Buffer.from('ts'),
    });
    markRetransmitted(header);
    expect(readPacket(header)).toMatchObject({ retransmitted: true, key: 'odd', messageNumber: 0x3ff_ffff });
  });

  it('carries control packets', () => {
    const packet = {
      type: 2,
      info: 0xffff_fffe,
      timestamp: timestampOf(9),
      destination: 1 as SocketId,
      content: Buffer.alloc(4),
    };
    expect(readPacket(writeControl(packet))).toEqual({ ...packet, kind: 'control', subtype: 0 });
    expect(readPacket(writeControl({ ...packet, type: 0x7fff, subtype: 3 }))).toMatchObject({
      type: 0x7fff,
      subtype: 3,
    });
  });

  it('carries handshakes with their extensions', () => {
    const read = readHandshake(writeHandshake(HANDSHAKE));
    expect(read).toEqual(HANDSHAKE);
    expect(readExtensionText(read.extensions[1]?.content ?? Buffer.alloc(0))).toBe('#!::r=live/show,m=publish');
    expect(handshakeAddress('192.0.2.7').toString('hex', 0, 4)).toBe('070200c0');
  });

  it('carries full, small and light ACKs', () => {
    const full = { next: sequence(9), rtt: 1, rttVariance: 2, window: 3, packetRate: 4, linkCapacity: 5, byteRate: 6 };
    expect(readAck(writeAck(full))).toEqual(full);
    expect(writeAck({ next: sequence(9), rtt: 1, rttVariance: 2, window: 3 })).toHaveLength(16);
    expect(readAck(writeAck({ next: sequence(9) }))).toEqual({ next: 9 });
  });

  it('carries loss reports, as many ranges as there is room for', () => {
    const ranges = [
      { first: sequence(1), last: sequence(1) },
      { first: sequence(0x7fff_fffe), last: sequence(2) },
    ];
    expect(readNak(writeNak(ranges, 1000))).toEqual(ranges);
    expect(readNak(writeNak(ranges, 11))).toEqual(ranges.slice(0, 1));
    expect(readDropRequest(writeDropRequest({ first: sequence(3), last: sequence(7) }))).toEqual({ first: 3, last: 7 });
  });

  it.each([
    ['nak', '80000001'],
    ['nak', '8000000180000002'],
    ['nak', '8000000500000001'],
    ['nak', ''],
    ['nak', '000001'],
    ['ack', '80000001'],
    ['drop request', '0000000500000001'],
    ['key material', '13202901'],
  ])('refuses a %s of %s', (name, hex) => {
    expect(() => READERS[name]?.(Buffer.from(hex, 'hex'))).toThrow(SrtError);
  });

  it('refuses key material whose lengths lie, before it takes anything by them', () => {
    const good = writeKeyMaterial(KEY);
    expect(readKeyMaterial(good)).toEqual(KEY);
    for (const [at, value] of [
      [14, 255],
      [15, 255],
      [15, 0],
      [15, 5],
      [3, 3],
      [3, 0],
      [8, 9],
      [0, 0x13],
    ] as const) {
      const bad = Buffer.from(good);
      bad.writeUInt8(value, at);
      expect(() => readKeyMaterial(bad), `byte ${at} = ${value}`).toThrow(SrtError);
    }
    for (let length = 0; length < good.length; length++) {
      expect(() => readKeyMaterial(good.subarray(0, length))).toThrow(SrtError);
    }
  });

  it('refuses a handshake that is cut off anywhere but between its extensions', () => {
    const good = writeHandshake(HANDSHAKE);
    const whole = new Set([48, 48 + 16, good.length]);
    for (let length = 0; length <= good.length; length++) {
      const read = () => readHandshake(good.subarray(0, length));
      if (whole.has(length)) expect(read, `${length} bytes`).not.toThrow();
      else expect(read, `${length} bytes`).toThrow(SrtError);
    }
  });

  it.each(Object.entries(READERS))('bears anything for a %s', (_name, read) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          read(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(SrtError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('counts over the wrap', () => {
    const last = sequence(0x7fff_ffff);
    expect(sequenceAdd(last, 1)).toBe(0);
    expect(sequenceAdd(sequence(0), -1)).toBe(last);
    expect(sequenceDistance(last, sequence(4))).toBe(5);
    expect(sequenceDistance(sequence(4), last)).toBe(-5);
    const unwrapper = new TimestampUnwrapper();
    const times = [0xffff_0000, 0xffff_fff0, 10, 0xffff_fffa, 0x7000_0000, 0xa000_0000, 5].map((time) =>
      unwrapper.unwrap(timestampOf(time)),
    );
    expect(times).toEqual([
      0xffff_0000,
      0xffff_fff0,
      2 ** 32 + 10,
      0xffff_fffa,
      2 ** 32 + 0x7000_0000,
      2 ** 32 + 0xa000_0000,
      2 ** 33 + 5,
    ]);
  });
});
