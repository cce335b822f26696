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
    let schema: Schema | undefined = this.#schema;
    for (const name of path) {
      schema = childOf(schema, name);
      if (schema?.secret) break;
    }
    return hide(schema, value);
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
