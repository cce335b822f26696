import { z } from 'zod';
import { configSchema } from './schema.js';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly secret?: boolean;
}

/** In place of a secret. */
export const HIDDEN = '(set)';

/** What of a configuration must not be shown to anybody. */
export class ConfigSecrets {
  readonly #schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Schema;

  /** A value with `(set)` in place of each secret in it. @param path the names that lead to it: `hls`, `segments` */
  hidden(path: readonly PropertyKey[], value: unknown): unknown {
    return hide(this.#at(path), value);
  }

  /**
   * The opposite: a value that was shown, changed and given back, with the secrets that are in force where it says
   * `(set)`.
   */
  restored(path: readonly PropertyKey[], value: unknown, current: unknown): unknown {
    return restore(this.#at(path), value, current);
  }

  #at(path: readonly PropertyKey[]): Schema | undefined {
    return path.reduce<Schema | undefined>(
      (schema, name) => (schema?.secret ? schema : childOf(schema, name)),
      this.#schema,
    );
  }
}

function childOf(schema: Schema | undefined, name: PropertyKey): Schema | undefined {
  if (typeof name === 'number') return schema?.items;
  const own = schema?.properties?.[String(name)];
  if (own !== undefined) return own;
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function hide(schema: Schema | undefined, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (schema?.secret) return Array.isArray(value) ? value.map(() => HIDDEN) : HIDDEN;
  if (Array.isArray(value)) return value.map((item) => hide(schema?.items, item));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hide(childOf(schema, name), item)]));
}

function restore(schema: Schema | undefined, value: unknown, current: unknown): unknown {
  if (Array.isArray(value)) {
    const before: readonly unknown[] = Array.isArray(current) ? current : [];
    const isKept = (item: unknown, at: number) => schema?.secret && item === HIDDEN && at < before.length;
    return value.map((item, at) => (isKept(item, at) ? before[at] : restore(schema?.items, item, before[at])));
  }
  if (schema?.secret) return value === HIDDEN && current !== undefined ? current : value;
  if (typeof value !== 'object' || value === null) return value;
  const before = (typeof current === 'object' && current !== null ? current : {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, restore(childOf(schema, name), item, before[name])]),
  );
}
