import { MediaError } from '../errors.js';
import { AmfCursor } from './cursor.js';
import { ReferenceTable } from './reference-table.js';
import type { AmfObject, AmfValue } from './value.js';

/** Type markers, AMF 3 §3.1. */
const MARKER = {
  undefined: 0x00,
  null: 0x01,
  false: 0x02,
  true: 0x03,
  integer: 0x04,
  double: 0x05,
  string: 0x06,
  xmlDocument: 0x07,
  date: 0x08,
  array: 0x09,
  object: 0x0a,
  xml: 0x0b,
  byteArray: 0x0c,
} as const;

interface Traits {
  readonly names: readonly string[];
  readonly textBytes: number;
  readonly dynamic: boolean;
}

interface ReferenceTables {
  readonly strings: string[];
  readonly objects: ReferenceTable;
  readonly traits: Traits[];
}

/** Members that a class may declare; caps what one forged trait makes us read. */
const MAX_TRAIT_NAMES = 256;
/** Signed 29-bit integers, AMF 3 §1.3.1. */
const INTEGER_SIGN = 0x1000_0000;

/**
 * All values of an AMF3 message.
 *
 * @throws {MediaError} `truncated`, `malformed`, `too-large` or `unsupported`
 */
export function decodeAmf3(bytes: Buffer): AmfValue[] {
  const cursor = new AmfCursor(bytes);
  const values: AmfValue[] = [];
  while (!cursor.atEnd) values.push(readAmf3(cursor));
  return values;
}

/** One value with reference tables of its own, as behind an AMF0 avmplus marker. AMF 0 §3.1. */
export function readAmf3(cursor: AmfCursor): AmfValue {
  return readValue(cursor, { strings: [], objects: new ReferenceTable(cursor), traits: [] });
}

function readValue(cursor: AmfCursor, tables: ReferenceTables): AmfValue {
  cursor.spend(1, 0);
  const marker = cursor.u8();
  switch (marker) {
    case MARKER.undefined:
      return undefined;
    case MARKER.null:
      return null;
    case MARKER.false:
      return false;
    case MARKER.true:
      return true;
    case MARKER.integer: {
      const value = readU29(cursor);
      return value >= INTEGER_SIGN ? value - 2 * INTEGER_SIGN : value;
    }
    case MARKER.double:
      return cursor.double();
    case MARKER.string:
      return readString(cursor, tables);
    case MARKER.xmlDocument:
    case MARKER.xml:
      return readReferable(cursor, tables, (length) => cursor.utf8(length));
    case MARKER.byteArray:
      return readReferable(cursor, tables, (length) => {
        cursor.take(length);
        return undefined;
      });
    case MARKER.date:
      return readReferable(cursor, tables, () => new Date(cursor.double()));
    case MARKER.array:
      return readReferable(cursor, tables, (count) => readArray(cursor, tables, count));
    case MARKER.object:
      return readObject(cursor, tables);
    default:
      throw new MediaError('unsupported', `AMF3 type marker 0x${marker.toString(16)}`);
  }
}

/** Up to 29 bits in up to 4 bytes. AMF 3 §1.3.1. */
function readU29(cursor: AmfCursor): number {
  let value = 0;
  for (let index = 0; index < 3; index++) {
    const byte = cursor.u8();
    value = (value << 7) | (byte & 0x7f);
    if ((byte & 0x80) === 0) return value;
  }
  return (value << 8) | cursor.u8();
}

function readString(cursor: AmfCursor, tables: ReferenceTables): string {
  const header = readU29(cursor);
  if ((header & 1) === 0) {
    const known = lookUp(tables.strings, header >> 1);
    cursor.spend(0, known.length);
    return known;
  }
  const text = cursor.utf8(header >> 1);
  if (text !== '') tables.strings.push(text);
  return text;
}

function lookUp<T>(table: readonly T[], index: number): T {
  if (index >= table.length) throw new MediaError('malformed', `AMF3 reference ${index} to nothing`);
  return table[index] as T;
}

function readReferable(cursor: AmfCursor, tables: ReferenceTables, read: (header: number) => AmfValue): AmfValue {
  const header = readU29(cursor);
  if ((header & 1) === 0) return tables.objects.resolve(header >> 1);
  return tables.objects.define(() => read(header >> 1));
}

function readArray(cursor: AmfCursor, tables: ReferenceTables, count: number): AmfValue {
  const named = readNamedValues(cursor, tables);
  if (count > cursor.remaining) throw new MediaError('truncated', `an AMF3 array of ${count} values is cut off`);
  cursor.enter();
  const dense: AmfValue[] = [];
  for (let index = 0; index < count; index++) dense.push(readValue(cursor, tables));
  cursor.leave();
  return Object.keys(named).length === 0 ? dense : Object.assign(named, { ...dense });
}

/** Name and value pairs up to an empty name. */
function readNamedValues(cursor: AmfCursor, tables: ReferenceTables): Record<string, AmfValue> {
  const values: Record<string, AmfValue> = Object.create(null);
  cursor.enter();
  for (let name = readString(cursor, tables); name !== ''; name = readString(cursor, tables)) {
    values[name] = readValue(cursor, tables);
  }
  cursor.leave();
  return values;
}

/** AMF 3 §3.12. */
function readObject(cursor: AmfCursor, tables: ReferenceTables): AmfValue {
  const header = readU29(cursor);
  if ((header & 1) === 0) return tables.objects.resolve(header >> 1);
  return tables.objects.define(() => readMembers(cursor, tables, header));
}

function readMembers(cursor: AmfCursor, tables: ReferenceTables, header: number): AmfObject {
  const traits = readTraits(cursor, tables, header);
  const object: Record<string, AmfValue> = Object.create(null);
  cursor.enter();
  for (const name of traits.names) object[name] = readValue(cursor, tables);
  if (traits.dynamic) Object.assign(object, readNamedValues(cursor, tables));
  cursor.leave();
  return object;
}

function readTraits(cursor: AmfCursor, tables: ReferenceTables, header: number): Traits {
  if ((header & 2) === 0) {
    const known = lookUp(tables.traits, header >> 2);
    cursor.spend(0, known.textBytes);
    return known;
  }
  if ((header & 4) !== 0) throw new MediaError('unsupported', 'an AMF3 object with a serialization of its own');
  const count = header >> 4;
  if (count > MAX_TRAIT_NAMES) throw new MediaError('too-large', `an AMF3 class of ${count} members`);
  readString(cursor, tables); // class name
  const names = Array.from({ length: count }, () => readString(cursor, tables));
  const textBytes = names.reduce((total, name) => total + name.length, 0);
  const traits = { names, textBytes, dynamic: (header & 8) !== 0 };
  tables.traits.push(traits);
  return traits;
}

/** The values, one after another, each with tables of its own. No references are made. */
export function encodeAmf3(...values: readonly AmfValue[]): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) writeValue(parts, value);
  return Buffer.concat(parts);
}

function writeValue(parts: Buffer[], value: AmfValue): void {
  if (value === undefined) parts.push(Buffer.from([MARKER.undefined]));
  else if (value === null) parts.push(Buffer.from([MARKER.null]));
  else if (typeof value === 'boolean') parts.push(Buffer.from([value ? MARKER.true : MARKER.false]));
  else if (typeof value === 'number') parts.push(numberBytes(value));
  else if (typeof value === 'string') parts.push(Buffer.from([MARKER.string]), stringBytes(value));
  else if (value instanceof Date) parts.push(Buffer.from([MARKER.date, 1]), doubleBytes(value.getTime()));
  else if (Array.isArray(value)) {
    parts.push(Buffer.from([MARKER.array]), u29((value.length << 1) | 1), Buffer.from([1]));
    for (const item of value as readonly AmfValue[]) writeValue(parts, item);
  } else {
    parts.push(Buffer.from([MARKER.object, 0x0b, 0x01])); // dynamic, no members, no class name
    for (const [key, item] of Object.entries(value as AmfObject)) {
      if (key === '') continue;
      parts.push(stringBytes(key));
      writeValue(parts, item);
    }
    parts.push(Buffer.from([1]));
  }
}

function numberBytes(value: number): Buffer {
  if (Number.isInteger(value) && !Object.is(value, -0) && value >= -INTEGER_SIGN && value < INTEGER_SIGN) {
    return Buffer.concat([Buffer.from([MARKER.integer]), u29(value & 0x1fff_ffff)]);
  }
  return Buffer.concat([Buffer.from([MARKER.double]), doubleBytes(value)]);
}

function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

function stringBytes(value: string): Buffer {
  const text = Buffer.from(value);
  return Buffer.concat([u29((text.length << 1) | 1), text]);
}

function u29(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  if (value < 0x4000) return Buffer.from([0x80 | (value >> 7), value & 0x7f]);
  if (value < 0x20_0000) return Buffer.from([0x80 | (value >> 14), 0x80 | ((value >> 7) & 0x7f), value & 0x7f]);
  return Buffer.from([0x80 | (value >> 22), 0x80 | ((value >> 15) & 0x7f), 0x80 | ((value >> 8) & 0x7f), value & 0xff]);
}
