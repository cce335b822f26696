import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CAPABILITY, writeCapabilities } from '../wire/capabilities.js';
import { EXTENSION } from '../wire/handshake.js';
import type { SocketId } from '../wire/packet.js';
import { sequence } from '../wire/sequence.js';
import type { Timestamp } from '../wire/timestamp.js';
import { CallerHandshake } from './caller-handshake.js';
import { accept, inductionAnswer, readConclusion } from './listener-handshake.js';
import { REJECTION } from './rejection.js';
import { agreedFilter, DEFAULT_OPTIONS, extension, type SrtOptions } from './terms.js';

const peer = { address: '127.0.0.1', port: 9000 };
const common = { socketId: 7 as SocketId, peer, random: randomBytes, passphrase: undefined };

/** What becomes of a caller's wishes at a listener. */
function settle(callers: Partial<SrtOptions>, listeners: Partial<SrtOptions> = {}) {
  const caller = new CallerHandshake({
    ...common,
    own: { ...DEFAULT_OPTIONS, ...callers },
    initialSequence: sequence(5),
    keyBytes: 16,
    streamId: '',
  });
  caller.receive(inductionAnswer(caller.message, peer, 99), 0 as Timestamp);
  const conclusion = readConclusion(caller.message);
  if (typeof conclusion === 'number') return conclusion;
  const own = { ...DEFAULT_OPTIONS, ...listeners };
  const accepted = accept(conclusion, { ...common, own, timestamp: 0 as Timestamp });
  if (typeof accepted === 'number') return accepted;
  return { listener: accepted.terms, caller: caller.receive(accepted.answer, 0 as Timestamp) };
}

describe('what both sides settle', () => {
  it('is the greater latency of each direction', () => {
    const settled = settle({ receiveLatency: 300, sendLatency: 200 }, { receiveLatency: 120, sendLatency: 400 });
    expect(settled).toMatchObject({
      listener: { receiveLatency: 200, sendLatency: 400 },
      caller: { receiveLatency: 400, sendLatency: 200 },
    });
  });

  it('is a packet filter that either wants, or both want alike', () => {
    const fec = { columns: 10, rows: 5, rowRepair: true, layout: 'staircase', arq: 'onreq' };
    const both = { listener: { filter: fec }, caller: { filter: fec } };
    expect(settle({ packetFilter: 'fec,cols:10,rows:5' })).toMatchObject(both);
    expect(settle({ packetFilter: 'fec,cols:10,rows:5' }, { packetFilter: 'fec,rows:5' })).toMatchObject(both);
    expect(settle({ packetFilter: 'fec,cols:10' }, { packetFilter: 'fec,cols:20' })).toBe(REJECTION.filter);
    expect(settle({}, { packetFilter: 'fec,cols:20' })).toBe(REJECTION.filter);
    expect(settle({})).toMatchObject({ listener: { filter: undefined }, caller: { filter: undefined } });
  });

  it.each([
    'fec',
    'fec,cols:1',
    'fec,cols:200,rows:2',
    'fec,cols:100,rows:100',
    'fec,cols:10,rows:0',
    'fec,cols:1e3',
    'fec,cols:10,layout:round',
    'fec,cols:10,arq:maybe',
    'fec,colours:10',
    'xor,cols:10',
  ])('is no filter as in "%s", and says why', (text) => {
    expect(() => agreedFilter(undefined, text)).toThrow(`the packet filter "${text}"`);
  });

  it('is not a stream of bytes, nor a bond of several connections', () => {
    const caller = new CallerHandshake({
      ...common,
      own: DEFAULT_OPTIONS,
      initialSequence: sequence(5),
      keyBytes: 16,
      streamId: '',
    });
    caller.receive(inductionAnswer(caller.message, peer, 99), 0 as Timestamp);
    const { message } = caller;
    const capabilities = { version: 0x01_05_00, flags: CAPABILITY.stream, receiverLatency: 0, senderLatency: 0 };
    const bytes = extension(EXTENSION.hsreq, writeCapabilities(capabilities));
    expect(readConclusion({ ...message, extensions: [bytes] })).toBe(REJECTION.messageApi);
    const group = extension(EXTENSION.group, Buffer.alloc(8));
    expect(readConclusion({ ...message, extensions: [...message.extensions, group] })).toBe(REJECTION.group);
    expect(readConclusion({ ...message, version: 4 })).toBe(REJECTION.version);
  });
});
