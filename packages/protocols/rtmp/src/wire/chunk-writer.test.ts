import { describe, expect, test } from 'vitest';
import { encodeMessage } from './chunk-writer.js';

const header = (timestamp: number) => ({ chunkStreamId: 6, type: 9, timestamp, messageStreamId: 1 });

describe('encodeMessage', () => {
  test('writes one chunk with a full header', () => {
    const bytes = encodeMessage(header(0x010203), 128, Buffer.from([0xaa]), Buffer.from([0xbb, 0xcc]));
    expect(bytes.toString('hex')).toBe('06010203000003090100' + '0000' + 'aabbcc');
  });

  test('continues with format 3, across the borders of parts', () => {
    const bytes = encodeMessage(header(1), 2, Buffer.from([1]), Buffer.from([2, 3, 4]), Buffer.from([5]));
    expect(bytes.toString('hex')).toBe('060000010000050901000000' + '0102' + 'c6' + '0304' + 'c6' + '05');
  });

  test('ends with a full chunk without an empty one behind it', () => {
    const bytes = encodeMessage(header(1), 2, Buffer.from([1, 2, 3, 4]));
    expect(bytes.toString('hex')).toBe('060000010000040901000000' + '0102' + 'c6' + '0304');
  });

  test('writes an extended timestamp, and repeats it in each chunk', () => {
    const bytes = encodeMessage(header(0xff_ffff), 1, Buffer.from([1, 2]));
    expect(bytes.toString('hex')).toBe('06ffffff0000020901000000' + '00ffffff' + '01' + 'c6' + '00ffffff' + '02');
  });

  test('takes the low 32 bits of a timestamp, negative or beyond', () => {
    expect(encodeMessage(header(-1), 128).readUInt32BE(12)).toBe(0xffff_ffff);
    expect(encodeMessage(header(2 ** 32 + 5), 128).readUIntBE(1, 3)).toBe(5);
  });

  test('writes an empty message', () => {
    expect(encodeMessage(header(0), 128).length).toBe(12);
  });

  test('refuses what the length field cannot hold', () => {
    const part = Buffer.alloc(8 * 1024 * 1024);
    expect(() => encodeMessage(header(0), 65_536, part, part)).toThrow(expect.objectContaining({ code: 'too-large' }));
  });
});
