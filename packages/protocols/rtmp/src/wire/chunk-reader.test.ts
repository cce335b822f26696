import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtmpError } from '../errors.js';
import { ChunkReader, DEFAULT_CHUNK_LIMITS } from './chunk-reader.js';
import { encodeMessage } from './chunk-writer.js';
import { setChunkSize } from './control.js';
import type { RtmpMessage } from './message.js';

const hex = (...parts: string[]) => Buffer.from(parts.join(''), 'hex');
const reader = (limits = {}) => new ChunkReader({ ...DEFAULT_CHUNK_LIMITS, ...limits });
const coded = (code: string) => expect.objectContaining({ name: 'RtmpError', code });

/** To compare fast: `toEqual` takes its time over buffers. */
const text = (messages: readonly RtmpMessage[]) =>
  messages.map((m) => `${m.type} ${m.messageStreamId} ${m.timestamp} ${m.payload.toString('base64')}`).join('\n');

/** The same bytes whole, and cut at every place. */
function readAllWays(bytes: Buffer): RtmpMessage[] {
  const whole = reader().push(bytes);
  for (let cut = 1; cut < bytes.length; cut++) {
    const cutReader = reader();
    const messages = [...cutReader.push(bytes.subarray(0, cut)), ...cutReader.push(bytes.subarray(cut))];
    if (text(messages) !== text(whole)) expect({ cut, messages }).toEqual({ cut, messages: whole });
  }
  const bytewise = reader();
  expect(text([...bytes].flatMap((byte) => bytewise.push(Buffer.from([byte]))))).toEqual(text(whole));
  return whole;
}

describe('headers', () => {
  test('reads all four formats', () => {
    const messages = readAllWays(
      hex(
        '04' + '000064' + '000002' + '08' + '01000000' + 'a1a2', // format 0 at 100 ms
        '44' + '00000a' + '000001' + '09' + 'b1', // format 1, 10 ms later
        '84' + '000005' + 'c1', // format 2, 5 ms later
        'c4' + 'd1', // format 3, again 5 ms later
      ),
    );
    expect(messages).toEqual([
      { type: 8, messageStreamId: 1, timestamp: 100, payload: hex('a1a2') },
      { type: 9, messageStreamId: 1, timestamp: 110, payload: hex('b1') },
      { type: 9, messageStreamId: 1, timestamp: 115, payload: hex('c1') },
      { type: 9, messageStreamId: 1, timestamp: 120, payload: hex('d1') },
    ]);
  });

  test('takes the time of format 0 as the delta of a format 3 that begins a message', () => {
    const messages = readAllWays(hex('04' + '000017' + '000001' + '08' + '01000000' + 'a1', 'c4' + 'a2'));
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([23, 46]);
  });

  test('reads chunk stream ids of 1, 2 and 3 bytes', () => {
    const rest = '000001' + '000001' + '08' + '01000000' + 'ff';
    // 3, 64 + 5, 64 + 1 + 2 * 256: each is known to its own format 3.
    const messages = readAllWays(hex('03', rest, '0005', rest, '010102', rest, 'c3ee', 'c005ee', 'c10102ee'));
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([1, 1, 1, 2, 2, 2]);
  });

  test('keeps chunk streams that take turns apart', () => {
    const a = encodeMessage({ chunkStreamId: 4, type: 8, timestamp: 1, messageStreamId: 1 }, 2, hex('a1a2a3a4'));
    const b = encodeMessage({ chunkStreamId: 6, type: 9, timestamp: 2, messageStreamId: 1 }, 2, hex('b1b2b3b4'));
    const bytes = Buffer.concat([
      hex('0200000000000401000000' + '00' + '00000002'),
      a.subarray(0, 14),
      b.subarray(0, 14),
      a.subarray(14),
      b.subarray(14),
    ]);
    expect(readAllWays(bytes).slice(1)).toEqual([
      { type: 8, messageStreamId: 1, timestamp: 1, payload: hex('a1a2a3a4') },
      { type: 9, messageStreamId: 1, timestamp: 2, payload: hex('b1b2b3b4') },
    ]);
  });

  test('wraps timestamps at 32 bits', () => {
    const messages = readAllWays(hex('04' + 'ffffff' + '000001' + '08' + '01000000' + 'fffffff0' + 'a1', '84000020b1'));
    expect(messages.map(({ timestamp }) => timestamp)).toEqual([0xffff_fff0, 0x10]);
  });

  test('refuses a chunk stream that begins with a header that builds on another', () => {
    expect(() => reader().push(hex('c4ff'))).toThrow(coded('malformed'));
    expect(() => reader().push(hex('84000001'))).toThrow(coded('malformed'));
  });

  test('lets a new header give up the message under way', () => {
    const first = encodeMessage(
      { chunkStreamId: 4, type: 9, timestamp: 1, messageStreamId: 1 },
      128,
      Buffer.alloc(200),
    );
    const next = encodeMessage({ chunkStreamId: 4, type: 9, timestamp: 2, messageStreamId: 1 }, 128, hex('ff'));
    const messages = readAllWays(Buffer.concat([first.subarray(0, 12 + 128), next]));
    expect(messages).toEqual([{ type: 9, messageStreamId: 1, timestamp: 2, payload: hex('ff') }]);
  });
});

describe('extended timestamps', () => {
  const time = 0x0100_0000;
  const payload = Buffer.alloc(300, 7);
  const repeated = encodeMessage({ chunkStreamId: 4, type: 8, timestamp: time, messageStreamId: 1 }, 128, payload);
  const head = repeated.subarray(0, 16 + 128);
  const piece = Buffer.alloc(128, 7);
  const end = Buffer.alloc(44, 7);
  const message = { type: 8, messageStreamId: 1, timestamp: time, payload };

  test('repeated on format 3', () => {
    expect(readAllWays(Buffer.concat([repeated, repeated]))).toEqual([message, message]);
  });

  test('left out on format 3', () => {
    const omitted = Buffer.concat([head, hex('c4'), piece, hex('c4'), end]);
    expect(readAllWays(Buffer.concat([omitted, omitted]))).toEqual([message, message]);
  });

  test('left out once is left out for good, even before payload that looks like one', () => {
    const lookalike = Buffer.concat([Buffer.alloc(128, 7), hex('01000000'), Buffer.alloc(46, 7)]);
    const tricky = encodeMessage({ chunkStreamId: 4, type: 8, timestamp: time, messageStreamId: 1 }, 1000, lookalike);
    const cut = 16 + 128;
    const omitted = Buffer.concat([head, hex('c4'), piece, hex('c4'), end]);
    const second = Buffer.concat([tricky.subarray(0, cut), hex('c4'), tricky.subarray(cut)]);
    const messages = readAllWays(Buffer.concat([omitted, second]));
    expect(messages[1]?.payload).toEqual(lookalike);
  });

  test('left out before a last chunk shorter than the field', () => {
    const short = encodeMessage(
      { chunkStreamId: 4, type: 8, timestamp: time, messageStreamId: 1 },
      1000,
      Buffer.alloc(129),
    );
    const messages = readAllWays(Buffer.concat([short.subarray(0, 16 + 128), hex('c4'), hex('00')]));
    expect(messages[0]?.payload.length).toBe(129);
  });

  test('a delta as the field, the whole timestamp on format 3', () => {
    const delta = 0x00ff_ffff;
    const first = hex('04' + '000001' + '000001' + '08' + '01000000' + 'aa');
    const second = Buffer.concat([hex('44' + 'ffffff' + '000082' + '08' + '00ffffff'), Buffer.alloc(128)]);
    const messages = readAllWays(Buffer.concat([first, second, hex('c4' + '01000000' + 'bbcc')]));
    expect(messages[1]).toMatchObject({ timestamp: 1 + delta });
    expect(messages[1]?.payload.subarray(128)).toEqual(hex('bbcc'));
  });

  test('on a format 3 that begins a message', () => {
    const first = hex('04' + 'ffffff' + '000001' + '08' + '01000000' + '01000000' + 'aa');
    const withField = readAllWays(Buffer.concat([first, hex('c4' + '01000000' + 'bb')]));
    const withoutField = readAllWays(Buffer.concat([first, hex('c4' + 'bb')]));
    expect(withField).toEqual(withoutField);
    expect(withField[1]).toMatchObject({ timestamp: 0x0200_0000, payload: hex('bb') });
  });
});

describe('control of chunks', () => {
  test('obeys Set Chunk Size from the next chunk on', () => {
    const large = encodeMessage(
      { chunkStreamId: 4, type: 9, timestamp: 0, messageStreamId: 1 },
      512,
      Buffer.alloc(1000),
    );
    expect(readAllWays(Buffer.concat([setChunkSize(512), large])).at(-1)?.payload.length).toBe(1000);
  });

  test.each(['00000000', '80000000'])('refuses chunk size %s', (size) => {
    expect(() => reader().push(hex('0200000000000401' + '00000000', size))).toThrow(coded('malformed'));
  });

  test('forgets a message that is aborted', () => {
    const half = encodeMessage(
      { chunkStreamId: 4, type: 9, timestamp: 0, messageStreamId: 1 },
      128,
      Buffer.alloc(200, 1),
    );
    const abort = hex('0200000000000402' + '00000000' + '00000004');
    // Without the Abort this would be the rest of the message under way.
    const anew = Buffer.concat([hex('c4'), Buffer.alloc(128, 2), hex('c4'), Buffer.alloc(72, 2)]);
    const messages = readAllWays(Buffer.concat([half.subarray(0, 140), abort, anew]));
    expect(messages.at(-1)?.payload).toEqual(Buffer.alloc(200, 2));
  });
});

describe('limits', () => {
  const claim = (csid: number, type: number, length: number) => {
    const bytes = encodeMessage({ chunkStreamId: csid, type, timestamp: 0, messageStreamId: 1 }, 128);
    bytes.writeUIntBE(length, 4, 3);
    return bytes;
  };

  test.each([
    [9, DEFAULT_CHUNK_LIMITS.maxMediaBytes - 1, 'media'],
    [20, DEFAULT_CHUNK_LIMITS.maxCommandBytes, 'a command'],
    [1, 64, 'a control message'],
  ])('type %i of up to %i bytes: %s', (type, allowed) => {
    expect(reader().push(claim(4, type, allowed))).toEqual([]);
    if (allowed < 0xff_ffff) {
      expect(() => reader().push(claim(4, type, allowed + 1))).toThrow(coded('too-large'));
    }
  });

  test('a lowered cap on media, also for a format 3 that repeats an older header', () => {
    const message = encodeMessage(
      { chunkStreamId: 4, type: 9, timestamp: 0, messageStreamId: 1 },
      128,
      Buffer.alloc(100),
    );
    const chunks = reader();
    chunks.push(message);
    chunks.setMaxMediaBytes(99);
    expect(() => chunks.push(hex('c4'))).toThrow(coded('too-large'));
  });

  test('chunk streams', () => {
    const chunks = reader({ maxChunkStreams: 3 });
    for (const csid of [3, 4, 5, 5, 4]) chunks.push(claim(csid, 9, 0));
    expect(() => chunks.push(claim(6, 9, 0))).toThrow(coded('too-large'));
  });

  test('unfinished messages of all chunk streams together', () => {
    const chunks = reader({ maxMediaBytes: 1_000_000 });
    const piece = Buffer.alloc(900_000);
    const unfinished = (csid: number) => Buffer.concat([claim(csid, 9, 1_000_000), piece]);
    chunks.push(setChunkSize(900_000));
    chunks.push(unfinished(4));
    chunks.push(unfinished(5));
    expect(() => chunks.push(unfinished(6))).toThrow(coded('too-large'));
  });

  test('finished and forgotten messages count no more', () => {
    const chunks = reader({ maxMediaBytes: 1_000_000 });
    const message = Buffer.concat([claim(4, 9, 1_000_000), Buffer.alloc(1_000_000)]);
    chunks.push(setChunkSize(1_000_000));
    for (let count = 0; count < 5; count++) expect(chunks.push(message)).toHaveLength(1);
    chunks.push(setChunkSize(600_000));
    for (let count = 0; count < 5; count++) chunks.push(message.subarray(0, 12 + 600_000));
  });

  test('memory is taken as bytes come, not as they are claimed', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => {
      const chunks = reader();
      chunks.push(setChunkSize(1));
      for (let csid = 3; csid < 40; csid++) chunks.push(Buffer.concat([claim(csid, 9, 16_000_000), hex('ff')]));
      return chunks;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    expect(readers.length).toBe(100);
  });
});

/** A writer that may use any format that fits, for the property test. */
class AnyFormatWriter {
  readonly #last = new Map<number, { time: number; delta: number; length: number; type: number }>();
  readonly #repeat: boolean;
  chunkSize = 128;

  constructor(repeat: boolean) {
    this.#repeat = repeat;
  }

  write(csid: number, message: RtmpMessage, wish: number): Buffer {
    const { timestamp, payload, type } = message;
    const last = this.#last.get(csid);
    const delta = last === undefined ? 0 : (timestamp - last.time) >>> 0;
    let format = last === undefined ? 0 : wish;
    if (format >= 2 && (last?.length !== payload.length || last.type !== type)) format = 1;
    if (format === 3 && delta !== last?.delta) format = 2;
    const field = format === 0 ? timestamp : delta;
    const extended = field >= 0xff_ffff;
    this.#last.set(csid, { time: timestamp, delta: field, length: payload.length, type });
    const header = Buffer.alloc([11, 7, 3, 0][format]!);
    if (format < 3) header.writeUIntBE(extended ? 0xff_ffff : field, 0, 3);
    if (format < 2) header.writeUIntBE(payload.length, 3, 3);
    if (format < 2) header[6] = type;
    if (format === 0) header.writeUInt32LE(message.messageStreamId, 7);
    const ext = Buffer.alloc(extended ? 4 : 0);
    if (extended) ext.writeUInt32BE(field);
    const parts = [basic(format, csid), header];
    if (format < 3 || this.#repeat) parts.push(ext);
    for (let at = 0; at < payload.length; at += this.chunkSize) {
      if (at > 0) parts.push(basic(3, csid), this.#repeat ? ext : Buffer.alloc(0));
      parts.push(payload.subarray(at, at + this.chunkSize));
    }
    return Buffer.concat(parts);
  }
}

function basic(format: number, csid: number): Buffer {
  if (csid < 64) return Buffer.from([(format << 6) | csid]);
  if (csid < 320) return Buffer.from([format << 6, csid - 64]);
  return Buffer.from([(format << 6) | 1, (csid - 64) & 0xff, (csid - 64) >> 8]);
}

describe('any writer', () => {
  const anyTime = fc.oneof(
    fc.integer({ min: 0, max: 2000 }),
    fc.integer({ min: 0xff_ffff - 3, max: 0xff_ffff + 3 }),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  );
  const anyStep = fc.record({
    csid: fc.constantFrom(3, 4, 63, 64, 319, 320, 65_599),
    format: fc.integer({ min: 0, max: 3 }),
    chunkSize: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
    message: fc.record({
      type: fc.constantFrom(8, 9, 18),
      messageStreamId: fc.constant(1),
      timestamp: anyTime,
      // Never like a timestamp, so that neither habit can be taken for the other.
      payload: fc.integer({ min: 0, max: 700 }).map((length) => Buffer.alloc(length, 0xab)),
    }),
  });

  test.each([true, false])('its messages come back; extended timestamps repeated: %s', (repeat) => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 97 })), (steps, cuts) => {
        const writer = new AnyFormatWriter(repeat);
        const parts: Buffer[] = [];
        for (const { csid, format, chunkSize, message } of steps) {
          if (chunkSize !== undefined) {
            const payload = Buffer.alloc(4);
            payload.writeUInt32BE(chunkSize);
            parts.push(writer.write(2, { type: 1, messageStreamId: 0, timestamp: 0, payload }, format));
            writer.chunkSize = chunkSize;
          }
          parts.push(writer.write(csid, message, format));
        }
        const bytes = Buffer.concat(parts);
        const chunks = reader();
        const messages: RtmpMessage[] = [];
        let at = 0;
        for (const cut of cuts) {
          messages.push(...chunks.push(bytes.subarray(at, at + cut)));
          at += cut;
        }
        messages.push(...chunks.push(bytes.subarray(at)));
        const media = messages.filter(({ type }) => type !== 1);
        expect(text(media)).toEqual(text(steps.map(({ message }) => message)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('fuzz', () => {
  function survives(bytes: Buffer): void {
    try {
      reader().push(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(RtmpError);
    }
  }

  test('random bytes end in messages or an RtmpError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => survives(Buffer.from(bytes))),
      { numRuns: 1000 },
    );
  });

  test('mutated chunks end in messages or an RtmpError', () => {
    const valid = Buffer.concat([
      setChunkSize(64),
      encodeMessage(
        { chunkStreamId: 4, type: 8, timestamp: 0x0100_0000, messageStreamId: 1 },
        64,
        Buffer.alloc(200, 3),
      ),
      encodeMessage({ chunkStreamId: 6, type: 9, timestamp: 40, messageStreamId: 1 }, 64, Buffer.alloc(100, 4)),
    ]);
    const edits = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        survives(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});
