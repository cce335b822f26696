import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import { decodeAmf0, EcmaArray, encodeAmf0 } from './amf0.js';
import { decodeAmf3, encodeAmf3 } from './amf3.js';
import { type AmfValue, MAX_AMF_DEPTH, MAX_AMF_TEXT_BYTES, MAX_AMF_VALUES } from './value.js';

const key = fc.string({ minLength: 1, maxLength: 12 });
const { value } = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}));
/** The same with ordinary prototypes, so that nothing but values is compared. */
const plain = (decoded: unknown): unknown => {
  if (typeof decoded !== 'object' || decoded === null || decoded instanceof Date) return decoded;
  if (Array.isArray(decoded)) return decoded.map(plain);
  return Object.fromEntries(Object.entries(decoded).map(([name, item]) => [name, plain(item)]));
};

const codecs = [
  { name: 'AMF0', encode: encodeAmf0, decode: decodeAmf0 },
  { name: 'AMF3', encode: encodeAmf3, decode: decodeAmf3 },
] as const;

describe.each(codecs)('$name', ({ encode, decode }) => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        // Not toStrictEqual, which takes a key `constructor` for the constructor.
        expect(isDeepStrictEqual(plain(decode(encode(...values))), plain(values))).toBe(true);
      }),
    );
  });

  it('throws nothing but MediaError, whatever the bytes', () => {
    const survives = (bytes: Buffer) => {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(MediaError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survives(Buffer.from(bytes))));
    const valid = encode('onMetaData', { width: 1280, list: [1, { a: null }], when: new Date(0) });
    for (let at = 0; at < valid.length; at++) {
      survives(valid.subarray(0, at));
      for (const byte of [0, 1, 3, 8, 0x0a, 0x11, 0x7f, 0xff]) {
        const mutated = Buffer.from(valid);
        mutated[at] = byte;
        survives(mutated);
      }
    }
  });
});

describe('AMF0', () => {
  it('writes the bytes of the specification', () => {
    expect(encodeAmf0('connect', 1).toString('hex')).toBe('020007636f6e6e656374003ff0000000000000');
    expect(encodeAmf0({ a: true }).toString('hex')).toBe('030001610101000009');
    expect(encodeAmf0(new EcmaArray({ a: null })).toString('hex')).toBe('080000000100016105000009');
  });

  it('reads ECMA arrays, typed objects, long strings and AMF3 behind its marker', () => {
    expect(decodeAmf0(Buffer.from('08ffffffff00016105000009', 'hex'))[0]).toEqual({ a: null });
    expect(decodeAmf0(Buffer.from('1000035f5f5f0001610101000009', 'hex'))[0]).toEqual({ a: true });
    expect(decodeAmf0(encodeAmf0('x'.repeat(70_000)))[0]).toHaveLength(70_000);
    expect(decodeAmf0(Buffer.concat([Buffer.from([0x11]), encodeAmf3([1, 'two'])]))[0]).toEqual([1, 'two']);
  });

  it('counts depth, not objects', () => {
    const siblings = Array.from({ length: 3 * MAX_AMF_DEPTH }, () => ({ list: [{}] }));
    expect(plain(decodeAmf0(encodeAmf0(siblings)))).toEqual([siblings]);
    expect(plain(decodeAmf3(encodeAmf3(siblings)))).toEqual([siblings]);
  });

  it("can't be made to touch a prototype", () => {
    const object = decodeAmf0(encodeAmf0(JSON.parse('{"__proto__":{"polluted":true},"constructor":1}')))[0] as object;
    expect(Object.getPrototypeOf(object)).toBeNull();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('refuses bombs cheaply', () => {
    const deep = Buffer.concat([...Array(MAX_AMF_DEPTH + 1)].map(() => Buffer.from('03000161', 'hex')));
    expect(() => decodeAmf0(deep)).toThrow(/nested deeper/);
    expect(() => decodeAmf0(Buffer.alloc(MAX_AMF_VALUES + 1, 5))).toThrow(/more than/);
    expect(() => decodeAmf0(Buffer.from('0affffffff05', 'hex'))).toThrow(/cut off/);
  });

  it('follows references, and gives nothing for one to an object that is not read to its end', () => {
    // [{ a: 1 }, reference to that object]
    const shared = Buffer.from('0a000000020300016100' + '3ff0000000000000' + '000009' + '070001', 'hex');
    expect(decodeAmf0(shared)).toEqual([[{ a: 1 }, { a: 1 }]]);
    expect(decodeAmf0(Buffer.from('0a00000001070000', 'hex'))).toEqual([[undefined]]);
    expect(() => decodeAmf0(Buffer.from('070000', 'hex'))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('counts what references repeat, so that none multiply', () => {
    // Each array holds the one before it twice: 2^40 values in 451 bytes.
    const levels = 40;
    const bomb = [Buffer.from([0x0a, 0, 0, 0, levels + 1]), Buffer.from('0a0000000105', 'hex')];
    for (let level = 1; level <= levels; level++) {
      bomb.push(Buffer.from([0x0a, 0, 0, 0, 2, 0x07, 0, level, 0x07, 0, level]));
    }
    expect(() => decodeAmf0(Buffer.concat(bomb))).toThrow(expect.objectContaining({ code: 'too-large' }));
    // One long text, and an object with it, referred to until it is 2 MiB.
    const text = encodeAmf0({ text: 'x'.repeat(60_000) });
    const repeats = Math.ceil((2 * MAX_AMF_TEXT_BYTES) / 60_000);
    const repeated = Buffer.concat([text, ...Array.from({ length: repeats }, () => Buffer.from('070000', 'hex'))]);
    expect(() => decodeAmf0(repeated)).toThrow(/bytes of AMF text/);
  });

  it('stops after as many values as are wanted', () => {
    const bytes = Buffer.concat([encodeAmf0('onTextData', 7), Buffer.from([0x0e])]);
    expect(decodeAmf0(bytes, 2)).toEqual(['onTextData', 7]);
    expect(() => decodeAmf0(bytes)).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('refuses to write a key that its length field cannot tell', () => {
    expect(() => encodeAmf0({ ['k'.repeat(70_000)]: 1 })).toThrow(expect.objectContaining({ code: 'too-large' }));
  });

  it('reads the last object of a message without its end marker', () => {
    expect(decodeAmf0(Buffer.from('0300016105', 'hex'))).toEqual([{ a: null }]);
  });
});

describe('AMF3', () => {
  it('writes the bytes of the specification', () => {
    expect(encodeAmf3(0, 127, 128, 16384, 0x0fff_ffff, -1).toString('hex')).toBe(
      '0400' + '047f' + '048100' + '04818000' + '04bfffffff' + '04ffffffff',
    );
    expect(encodeAmf3(0x1000_0000, 0.5).toString('hex')).toBe('0541b0000000000000' + '053fe0000000000000');
    expect(encodeAmf3('abc', [true, null]).toString('hex')).toBe('0607616263' + '0905010301');
  });

  it('reads references to texts, objects and traits', () => {
    // { name: 'name' } of a class with one member, then another by the same traits, then the first object again.
    const bytes = Buffer.from(
      '0907' + '01' + '0a1303' + '43' + '096e616d65' + '0602' + '0a01' + '0401' + '0a02',
      'hex',
    );
    expect(decodeAmf3(bytes)).toEqual([[{ name: 'name' }, { name: 1 }, { name: 'name' }]]);
  });

  it('keeps the named values of an array, and passes byte arrays over', () => {
    expect(decodeAmf3(Buffer.from('0903' + '0361' + '0401' + '01' + '0402', 'hex'))).toEqual([{ a: 1, 0: 2 }]);
    expect(decodeAmf3(Buffer.from('0c07010203' + '0402', 'hex'))).toEqual([undefined, 2]);
  });

  it('counts what references repeat, so that none multiply', () => {
    const levels = 30;
    const bomb = [Buffer.from([0x09, ((levels + 1) << 1) | 1, 0x01]), Buffer.from('09030101', 'hex')];
    for (let level = 1; level <= levels; level++)
      bomb.push(Buffer.from([0x09, 5, 1, 0x09, level << 1, 0x09, level << 1]));
    expect(() => decodeAmf3(Buffer.concat(bomb))).toThrow(expect.objectContaining({ code: 'too-large' }));
    const text = encodeAmf3('x'.repeat(60_000)).subarray(1);
    const count = Math.ceil(MAX_AMF_TEXT_BYTES / 60_000) + 1;
    const texts = Array.from({ length: count }, () => Buffer.from('0600', 'hex'));
    const list = Buffer.concat([Buffer.from([0x09, ((count + 1) << 1) | 1, 1, 6]), text, ...texts]);
    expect(() => decodeAmf3(list)).toThrow(/bytes of AMF text/);
    // A class with one member of a long name, and objects of it at 3 bytes each.
    const member = encodeAmf3('x'.repeat(60_000)).subarray(1);
    const objects = Array.from({ length: count }, () => Buffer.from('0a0101', 'hex'));
    const header = Buffer.from([0x09, ((count + 1) << 1) | 1, 1, 0x0a, 0x13, 0x01]);
    expect(() => decodeAmf3(Buffer.concat([header, member, Buffer.from([1]), ...objects]))).toThrow(/AMF text/);
  });

  it('refuses classes with more members than any has', () => {
    // 257 members: 257 << 4 | inline traits and object
    expect(() => decodeAmf3(Buffer.from('0aa01301', 'hex'))).toThrow(expect.objectContaining({ code: 'too-large' }));
  });
});
