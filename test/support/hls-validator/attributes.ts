import type { Report } from './rules.js';

/** Reads an attribute's value. rfc8216bis §4.2 */
export interface ValueReader<T> {
  /** For messages: "a quoted-string". */
  readonly what: string;
  /** @returns undefined where the text is no such value */
  readonly read: (raw: string) => T | undefined;
}

const matching = <T>(what: string, pattern: RegExp, convert: (raw: string) => T): ValueReader<T> => ({
  what,
  read: (raw) => (pattern.test(raw) ? convert(raw) : undefined),
});

export const integer = matching('a decimal-integer', /^\d{1,20}$/, Number);
export const hex = matching('a hexadecimal-sequence', /^0[xX][0-9A-F]+$/, (raw) => raw.slice(2));
export const float = matching('a decimal-floating-point', /^(\d+(\.\d*)?|\.\d+)$/, Number);
export const signedFloat = matching('a signed-decimal-floating-point', /^-?(\d+(\.\d*)?|\.\d+)$/, Number);
export const quoted = matching('a quoted-string', /^"[^"\r\n]*"$/, (raw) => raw.slice(1, -1));

/** A count of pixels, width by height. */
export const resolution: ValueReader<{ readonly width: number; readonly height: number }> = matching(
  'a decimal-resolution',
  /^\d+x\d+$/,
  (raw) => {
    const [width = 0, height = 0] = raw.split('x').map(Number);
    return { width, height };
  },
);

export function enumerated<const T extends string>(...values: readonly T[]): ValueReader<T> {
  return { what: `one of ${values.join(', ')}`, read: (raw) => values.find((value) => value === raw) };
}

export function enumeratedList<const T extends string>(...values: readonly T[]): ValueReader<readonly T[]> {
  return {
    what: `a quoted list of ${values.join(', ')}, each once`,
    read: (raw) => {
      const listed = quoted.read(raw)?.split(',');
      const known = listed?.flatMap((name) => values.find((value) => value === name) ?? []);
      return known?.length === listed?.length && new Set(known).size === known?.length ? known : undefined;
    },
  };
}

/** The first of several types that fits. */
export function either<A, B>(first: ValueReader<A>, second: ValueReader<B>): ValueReader<A | B> {
  return {
    what: `${first.what} or ${second.what}`,
    read: (raw) => first.read(raw) ?? second.read(raw),
  };
}

/** Bytes within a resource: `<n>[@<o>]`. rfc8216bis §4.4.4.2 */
export interface ByteRange {
  readonly length: number;
  readonly offset: number | undefined;
}

export const byteRange: ValueReader<ByteRange> = matching('<n>[@<o>]', /^\d+(@\d+)?$/, (raw) => {
  const [length = 0, offset] = raw.split('@').map(Number);
  return { length, offset };
});

/** The same within quotes. */
export const quotedByteRange: ValueReader<ByteRange> = {
  what: 'a quoted <n>[@<o>]',
  read: (raw) => byteRange.read(quoted.read(raw) ?? ''),
};

/** A point in time, ISO 8601. */
export interface DateTime {
  /** ms since 1970; UTC where no zone is said. */
  readonly at: number;
  /** Whether it says zone and milliseconds, as it should. */
  readonly exact: boolean;
}

const ISO_8601 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$/;

export const dateTime: ValueReader<DateTime> = {
  what: 'an ISO 8601 date and time',
  read: (raw) => {
    const match = ISO_8601.exec(raw);
    if (match === null) return undefined;
    const [, time, , fraction = '', zone] = match;
    const zoned = zone === undefined && time !== undefined ? `${raw}Z` : raw;
    // Date.parse knows no zone of hours alone.
    const at = Date.parse(zone?.length === 3 ? `${zoned}:00` : zoned);
    return Number.isNaN(at) ? undefined : { at, exact: zone !== undefined && fraction.length >= 4 };
  },
};

export const quotedDateTime: ValueReader<DateTime> = {
  what: 'a quoted ISO 8601 date and time',
  read: (raw) => dateTime.read(quoted.read(raw) ?? ''),
};

type Readers = Readonly<Record<string, ValueReader<unknown>>>;
type ValueOf<R> = R extends ValueReader<infer T> ? T : never;

/** The attributes of a tag. */
export interface AttributeSchema<R extends Readers = Readers, O extends Readers = Readers> {
  readonly required: R;
  readonly optional: O;
  /** Names that the author of a playlist may add. */
  readonly extension?: RegExp;
}

/** What an attribute list says. `raw` has all attributes as they are written. */
export type Attributes<S> =
  S extends AttributeSchema<infer R, infer O>
    ? { readonly [K in keyof R]: ValueOf<R[K]> } & { readonly [K in keyof O]?: ValueOf<O[K]> } & {
        readonly raw: ReadonlyMap<string, string>;
      }
    : never;

const ATTRIBUTE = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)/y;

/** Splits an attribute list; undefined where it is none. */
function splitAttributes(text: string): [name: string, raw: string][] | undefined {
  const found: [string, string][] = [];
  ATTRIBUTE.lastIndex = 0;
  for (;;) {
    const match = ATTRIBUTE.exec(text);
    if (match === null) return undefined;
    found.push([match[1] ?? '', match[2] ?? '']);
    if (match[3] === '') return found;
  }
}

/**
 * Reads an attribute list.
 *
 * @param where names the tag and its line, for messages
 * @returns undefined where it is no attribute list, or lacks what is required
 */
export function readAttributes<S extends AttributeSchema>(
  text: string,
  schema: S,
  where: string,
  report: Report,
  substitute: (raw: string) => string,
): Attributes<S> | undefined {
  const pairs = splitAttributes(text);
  if (pairs === undefined) {
    report('attribute-list', `${where}: "${text}" is no attribute list of NAME=value,NAME=value`);
    return undefined;
  }
  const raw = new Map<string, string>();
  const values: Record<string, unknown> = { raw };
  for (const [name, written] of pairs) {
    if (raw.has(name)) {
      report('attribute-twice', `${where}: ${name} is there twice`);
      continue;
    }
    const value = substitute(written);
    raw.set(name, value);
    const reader = schema.required[name] ?? schema.optional[name];
    if (reader === undefined) {
      if (schema.extension?.test(name) !== true) report('attribute-unknown', `${where}: ${name} is not defined`);
      continue;
    }
    values[name] = reader.read(value);
    if (values[name] === undefined) {
      report('attribute-value', `${where}: ${name}=${value} is not ${reader.what}`);
      delete values[name];
    }
  }
  const missing = Object.keys(schema.required).filter((name) => !raw.has(name));
  for (const name of missing) report('attribute-missing', `${where}: ${name} is required`);
  const complete = Object.keys(schema.required).every((name) => name in values);
  return complete ? (values as Attributes<S>) : undefined;
}
