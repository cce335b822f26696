import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import { decodeAmf0, EcmaArray, encodeAmf0 } from './amf0.js';
import { decodeAmf3, encodeAmf3 } from './amf3.js';
import { type AmfValue, MAX_AMF_DEPTH, MAX_AMF_VALUES } from './value.js';

const key = fc.string({ minLength: 1, maxLength: 12 });
const { value } = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
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
const plain = (values: unknown): unknown => JSON.parse(JSON.stringify({ values }));

const codecs = [
  { name: 'AMF0', encode: encodeAmf0, decode: decodeAmf0 },
  { name: 'AMF3', encode: encodeAmf3, decode: decodeAmf3 },
] as const;

describe.each(codecs)('$name', ({ encode, decode }) => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        expect(plain(decode(encode(...values)))).toEqual(plain(values));
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
});
