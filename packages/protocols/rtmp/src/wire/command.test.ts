import { decodeAmf0, encodeAmf0, MediaError } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtmpError } from '../errors.js';
import { ChunkReader } from './chunk-reader.js';
import { dataAsAmf0, encodeCommand, encodeStatus, readCommand } from './command.js';

const message = (type: number, payload: Buffer) => ({ type, messageStreamId: 0, timestamp: 0, payload });

describe('readCommand', () => {
  test('AMF0', () => {
    const payload = encodeAmf0('connect', 1, { app: 'live' }, 'more', 7);
    expect(readCommand(message(20, payload))).toEqual({
      name: 'connect',
      transactionId: 1,
      object: expect.objectContaining({ app: 'live' }),
      args: ['more', 7],
      messageStreamId: 0,
    });
  });

  test('AMF3, with and without the byte in front', () => {
    const payload = encodeAmf0('createStream', 2, null);
    const marked = Buffer.concat([Buffer.from([0]), payload]);
    expect(readCommand(message(17, marked))).toEqual(readCommand(message(20, payload)));
    expect(readCommand(message(17, payload))).toEqual(readCommand(message(20, payload)));
  });

  test('does without transaction and object', () => {
    expect(readCommand(message(20, encodeAmf0('FCPublish')))).toMatchObject({ transactionId: 0, object: {}, args: [] });
  });

  test.each([encodeAmf0(1, 2), Buffer.alloc(0)])('refuses a command without a name', (payload) => {
    expect(() => readCommand(message(20, payload))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  test('a bomb of nested objects is cheap to refuse', () => {
    // {"a":{"a":{"a":…
    const bomb = Buffer.concat([encodeAmf0('connect', 1), Buffer.from('03000161'.repeat(50_000), 'hex')]);
    const begun = performance.now();
    expect(() => readCommand(message(20, bomb))).toThrow(MediaError);
    expect(performance.now() - begun).toBeLessThan(200);
  });

  test('fuzz: mutated commands end in a command, an RtmpError or a MediaError', () => {
    const valid = encodeAmf0('connect', 1, { app: 'live', tcUrl: 'rtmp://host/live', list: [1, true, null] });
    const edits = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(edits, fc.boolean(), (changes, amf3) => {
        const payload = Buffer.from(valid);
        for (const [at, value] of changes) payload[at] = value;
        try {
          readCommand(message(amf3 ? 17 : 20, payload));
        } catch (error) {
          expect(error instanceof RtmpError || error instanceof MediaError).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

test('encodeCommand is read back, over several chunks', () => {
  const reader = new ChunkReader();
  const bytes = encodeCommand(1, 128, '_result', 4, null, { text: 'x'.repeat(500) });
  const [read] = reader.push(bytes).map(readCommand);
  expect(read).toMatchObject({ name: '_result', transactionId: 4, messageStreamId: 1 });
});

test('encodeStatus', () => {
  const [status] = new ChunkReader()
    .push(encodeStatus(1, 128, { level: 'error', code: 'NetStream.Play.StreamNotFound', description: 'no' }))
    .map(readCommand);
  expect(status).toMatchObject({ name: 'onStatus', transactionId: 0 });
  expect({ ...(status?.args[0] as object) }).toEqual({
    level: 'error',
    code: 'NetStream.Play.StreamNotFound',
    description: 'no',
  });
});

describe('dataAsAmf0', () => {
  test('AMF0 stays as it is', () => {
    const payload = encodeAmf0('@setDataFrame', 'onMetaData', { width: 1280 });
    expect(dataAsAmf0(message(18, payload))).toBe(payload);
  });

  test('AMF3 values become AMF0 values', () => {
    // "onTextData", then AMF3 behind the avmplus marker: the string "hi"
    const payload = Buffer.concat([Buffer.from([0]), encodeAmf0('onTextData'), Buffer.from('1106056869', 'hex')]);
    const data = dataAsAmf0(message(15, payload));
    expect(data).toEqual(encodeAmf0('onTextData', 'hi'));
    expect(decodeAmf0(data)).toEqual(['onTextData', 'hi']);
  });
});
