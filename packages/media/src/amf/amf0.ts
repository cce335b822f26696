import { MediaError } from '../errors.js';
import { readAmf3 } from './amf3.js';
import { AmfCursor } from './cursor.js';
import { ReferenceTable } from './reference-table.js';
import { type AmfObject, type AmfValue, isAmfObject } from './value.js';

/** Type markers, AMF 0 §2.1. */
const MARKER = {
  number: 0x00,
  boolean: 0x01,
  string: 0x02,
  object: 0x03,
  null: 0x05,
  undefined: 0x06,
  reference: 0x07,
  ecmaArray: 0x08,
  objectEnd: 0x09,
  strictArray: 0x0a,
  date: 0x0b,
  longString: 0x0c,
  unsupported: 0x0d,
  xmlDocument: 0x0f,
  typedObject: 0x10,
  avmPlus: 0x11,
} as const;

/** Keys, and class names, stand behind a length of 16 bits. */
const MAX_KEY_BYTES = 0xffff;

/**
 * The values of an AMF0 message.
 *
 * @param limit stops after so many values; what comes behind them isn't looked at
 * @throws {MediaError} `truncated`, `malformed`, `too-large` or `unsupported`
 */
export function decodeAmf0(bytes: Buffer, limit = Number.POSITIVE_INFINITY): AmfValue[] {
  const cursor = new AmfCursor(bytes);
  const references = new ReferenceTable(cursor);
  const values: AmfValue[] = [];
  while (!cursor.atEnd && values.length < limit) values.push(readValue(cursor, references));
  return values;
}

function readValue(cursor: AmfCursor, references: ReferenceTable): AmfValue {
  cursor.spend(1, 0);
  const marker = cursor.u8();
  switch (marker) {
    case MARKER.number:
      return cursor.double();
    case MARKER.boolean:
      return cursor.u8() !== 0;
    case MARKER.string:
      return cursor.utf8(cursor.u16());
    case MARKER.longString:
    case MARKER.xmlDocument:
      return cursor.utf8(cursor.u32());
    case MARKER.null:
      return null;
    case MARKER.undefined:
    case MARKER.unsupported:
      return undefined;
    case MARKER.reference:
      return references.resolve(cursor.u16());
    case MARKER.date:
      return readDate(cursor);
    case MARKER.typedObject:
      cursor.utf8(cursor.u16());
      return references.define(() => readObject(cursor, references));
    case MARKER.ecmaArray:
      cursor.u32(); // a count that writers get wrong; the end marker counts
      return references.define(() => readObject(cursor, references));
    case MARKER.object:
      return references.define(() => readObject(cursor, references));
    case MARKER.strictArray:
      return references.define(() => readStrictArray(cursor, references));
    case MARKER.avmPlus:
      return readAmf3(cursor);
    default:
      throw new MediaError('unsupported', `AMF0 type marker 0x${marker.toString(16)}`);
  }
}

function readDate(cursor: AmfCursor): Date {
  const milliseconds = cursor.double();
  cursor.u16(); // time zone: reserved
  return new Date(milliseconds);
}

function readObject(cursor: AmfCursor, references: ReferenceTable): AmfObject {
  const object: Record<string, AmfValue> = Object.create(null);
  cursor.enter();
  for (;;) {
    // Some encoders leave out the end marker of the last object in a message.
    if (cursor.atEnd) break;
    const key = cursor.utf8(cursor.u16());
    if (key === '' && cursor.peek() === MARKER.objectEnd) {
      cursor.u8();
      break;
    }
    object[key] = readValue(cursor, references);
  }
  cursor.leave();
  return object;
}

function readStrictArray(cursor: AmfCursor, references: ReferenceTable): AmfValue[] {
  const count = cursor.u32();
  if (count > cursor.remaining) throw new MediaError('truncated', `an AMF0 array of ${count} values is cut off`);
  const array: AmfValue[] = [];
  cursor.enter();
  for (let item = 0; item < count; item++) array.push(readValue(cursor, references));
  cursor.leave();
  return array;
}

/** An object that is to be written as an ECMA array, as `onMetaData` is. */
export class EcmaArray {
  readonly entries: AmfObject;

  constructor(entries: AmfObject) {
    this.entries = entries;
  }
}

/**
 * The values, one after another. Objects are anonymous; numbers are doubles.
 *
 * @throws {MediaError} `too-large` for a key of more than 65,535 bytes
 */
export function encodeAmf0(...values: readonly (AmfValue | EcmaArray)[]): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) writeValue(parts, value);
  return Buffer.concat(parts);
}

function writeValue(parts: Buffer[], value: AmfValue | EcmaArray): void {
  if (value instanceof EcmaArray) {
    parts.push(header(MARKER.ecmaArray, Object.keys(value.entries).length));
    writeEntries(parts, value.entries);
  } else if (typeof value === 'number') {
    parts.push(double(MARKER.number, value));
  } else if (typeof value === 'boolean') {
    parts.push(Buffer.from([MARKER.boolean, value ? 1 : 0]));
  } else if (typeof value === 'string') {
    writeString(parts, value);
  } else if (value === null) {
    parts.push(Buffer.from([MARKER.null]));
  } else if (value === undefined) {
    parts.push(Buffer.from([MARKER.undefined]));
  } else if (value instanceof Date) {
    parts.push(double(MARKER.date, value.getTime()), Buffer.alloc(2));
  } else if (isAmfObject(value)) {
    parts.push(Buffer.from([MARKER.object]));
    writeEntries(parts, value);
  } else {
    const array = value as readonly AmfValue[];
    parts.push(header(MARKER.strictArray, array.length));
    for (const item of array) writeValue(parts, item);
  }
}

function writeEntries(parts: Buffer[], entries: AmfObject): void {
  for (const [key, value] of Object.entries(entries)) {
    const name = Buffer.from(key);
    if (name.length > MAX_KEY_BYTES) throw new MediaError('too-large', `an AMF0 key of ${name.length} bytes`);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(name.length);
    parts.push(length, name);
    writeValue(parts, value);
  }
  parts.push(Buffer.from([0, 0, MARKER.objectEnd]));
}

function writeString(parts: Buffer[], value: string): void {
  const text = Buffer.from(value);
  if (text.length > 0xffff) {
    parts.push(header(MARKER.longString, text.length), text);
  } else {
    parts.push(Buffer.from([MARKER.string, text.length >> 8, text.length & 0xff]), text);
  }
}

function header(marker: number, count: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = marker;
  bytes.writeUInt32BE(count, 1);
  return bytes;
}

function double(marker: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = marker;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}
