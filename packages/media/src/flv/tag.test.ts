import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import { encodeFlvTag, type FlvTag, FlvTagParser, flvFileHeader } from './tag.js';

const HEADER = flvFileHeader({ audio: true, video: true });
const FILE = Buffer.concat([
  HEADER,
  encodeFlvTag(9, 0x1234567, Buffer.from([1, 2, 3])),
  encodeFlvTag(8, 0xffff_fffe, Buffer.alloc(0)),
  encodeFlvTag(18, 7, Buffer.from('x'), Buffer.from('y')),
]);
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

describe('FLV tags', () => {
  it('has the bytes of the specification', () => {
    expect(HEADER.toString('hex')).toBe('464c560105' + '00000009' + '00000000');
    expect(flvFileHeader({ audio: false, video: true })[4]).toBe(1);
    expect(flvFileHeader({ audio: true, video: false })[4]).toBe(4);
    // type, size, timestamp (low 24 bits, then the high 8), stream id, body, size of the whole
    expect(encodeFlvTag(9, 0x1234567, Buffer.from([0xaa, 0xbb])).toString('hex')).toBe(
      '09' + '000002' + '234567' + '01' + '000000' + 'aabb' + '0000000d',
    );
  });

  it('gives the same tags wherever the bytes are cut', () => {
    const whole = new FlvTagParser().push(FILE);
    expect(whole.map((tag) => [tag.type, tag.timestamp, tag.body.toString('hex')])).toEqual([
      [9, 0x1234567, '010203'],
      [8, 0xffff_fffe, ''],
      [18, 7, '7879'],
    ]);
    for (let cut = 0; cut <= FILE.length; cut++) {
      const parser = new FlvTagParser();
      expect([...parser.push(FILE.subarray(0, cut)), ...parser.push(FILE.subarray(cut))]).toEqual(whole);
    }
    const single = new FlvTagParser();
    expect([...FILE].flatMap((byte) => single.push(Buffer.from([byte])))).toEqual(whole);
  });

  it('reads back any tags, in any pieces', () => {
    const tag = fc.record({
      type: fc.constantFrom(8 as const, 9 as const, 18 as const),
      timestamp: fc.nat(0xffff_ffff),
      body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(
        fc.array(tag, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 200 })),
        (tags, sizes) => {
          const bytes = Buffer.concat([HEADER, ...tags.map((one) => encodeFlvTag(one.type, one.timestamp, one.body))]);
          const parser = new FlvTagParser();
          const read: FlvTag[] = [];
          for (let at = 0; at < bytes.length; ) {
            const end = at + sizes.next().value;
            read.push(...parser.push(bytes.subarray(at, end)));
            at = end;
          }
          expect(read).toEqual(tags);
        },
      ),
    );
  });

  it('takes a large tag in small pieces without copying it over and over', () => {
    const body = Buffer.alloc(12 * 1024 * 1024, 7);
    const bytes = Buffer.concat([HEADER, encodeFlvTag(9, 0, body)]);
    const parser = new FlvTagParser();
    const tags: FlvTag[] = [];
    // 49,152 pieces: one copy of all that came for each would be 300 GB.
    for (let at = 0; at < bytes.length; at += 256) tags.push(...parser.push(bytes.subarray(at, at + 256)));
    expect(tags).toHaveLength(1);
    expect(tags[0]?.body.equals(body)).toBe(true);
  });

  it('passes over tags of other types, and a longer file header', () => {
    const longer = Buffer.from('464c5601050000000c' + 'aabbcc' + '00000000', 'hex');
    const other = encodeFlvTag(8, 0, Buffer.from([1]));
    other[0] = 15;
    const tags = new FlvTagParser().push(Buffer.concat([longer, other, encodeFlvTag(8, 5, Buffer.from([2]))]));
    expect(tags).toEqual([{ type: 8, timestamp: 5, body: Buffer.from([2]) }]);
  });

  it.each([
    ['bytes that are no FLV', '4d5a90000300000004000000ff', 'malformed'],
    ['a file header that is too short', '464c5601050000000800000000', 'malformed'],
    ['a file header that is too long', '464c560105000f000000000000', 'malformed'],
    ['an encrypted tag', `${HEADER.toString('hex')}2900000000000000000000`, 'unsupported'],
    ['reserved bits', `${HEADER.toString('hex')}4900000000000000000000`, 'malformed'],
    ['a tag of type 0', `${HEADER.toString('hex')}0000000000000000000000`, 'malformed'],
  ])('refuses %s', (_, hex, code) => {
    expect(() => new FlvTagParser().push(Buffer.from(hex, 'hex'))).toThrow(error(code));
  });

  it('refuses a tag above the cap as soon as its header is there', () => {
    const parser = new FlvTagParser({ maxTagBytes: 100 });
    const within = encodeFlvTag(9, 0, Buffer.alloc(100));
    expect(parser.push(Buffer.concat([HEADER, within]))).toHaveLength(1);
    const above = encodeFlvTag(9, 0, Buffer.alloc(101));
    expect(parser.push(above.subarray(0, 10))).toEqual([]);
    expect(() => parser.push(above.subarray(10, 11))).toThrow(error('too-large'));
    expect(() => encodeFlvTag(9, 0, Buffer.alloc(0x100_0000))).toThrow(error('too-large'));
  });

  it('throws nothing but MediaError, whatever the bytes', () => {
    const mutation = fc.tuple(fc.nat(FILE.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), fc.nat(FILE.length), (mutations, cut) => {
        const bytes = Buffer.from(FILE);
        for (const [at, value] of mutations) bytes[at] = value;
        const parser = new FlvTagParser();
        try {
          parser.push(bytes.subarray(0, cut));
          parser.push(bytes.subarray(cut));
        } catch (caught) {
          expect(caught).toBeInstanceOf(MediaError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
