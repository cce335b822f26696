import { z } from 'zod';
import { configSchema } from './schema.js';

/** One thing that can be configured, with its one name in each place. */
export interface ConfigEntry {
  /** `rtmp.port` */
  readonly key: string;
  /** `SLUICE_RTMP_PORT`; undefined where a value doesn't fit into a variable. */
  readonly environment: string | undefined;
  readonly type: 'string' | 'number' | 'boolean' | 'list' | 'map';
  /** What is allowed, in words. */
  readonly allowed: string;
  /** All values that are allowed, where they are few. */
  readonly choices: readonly string[] | undefined;
  readonly default: unknown;
  readonly description: string;
  /** Its value is never shown. */
  readonly secret: boolean;
  /** A change takes effect at the next start only. */
  readonly restart: boolean;
}

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly allowed?: string;
  readonly secret?: boolean;
  readonly restart?: boolean;
}

/** The environment variable of a key: `hls.segmentSeconds` → `SLUICE_HLS_SEGMENT_SECONDS`. */
export function environmentName(key: string): string {
  return `SLUICE_${key.replaceAll('.', '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2')}`.toUpperCase();
}

/** Every entry of the schema, in its order. The README's reference and the environment are read off this. */
export function configEntries(): ConfigEntry[] {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return entriesOf(schema, '');
}

function entriesOf(schema: JsonSchema, prefix: string): ConfigEntry[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const key = prefix + name;
    return field.properties === undefined ? [entryOf(key, field)] : entriesOf(field, `${key}.`);
  });
}

function entryOf(key: string, field: JsonSchema): ConfigEntry {
  const type = typeOf(field);
  return {
    key,
    environment: type === 'map' ? undefined : environmentName(key),
    type,
    allowed: allowedBy(field),
    choices: field.enum,
    default: field.default,
    description: field.description ?? '',
    secret: field.secret ?? false,
    restart: field.restart ?? false,
  };
}

function typeOf(field: JsonSchema): ConfigEntry['type'] {
  if (field.type === 'integer' || field.type === 'number') return 'number';
  if (field.type === 'boolean') return 'boolean';
  if (field.type === 'object') return 'map';
  if (field.type === 'array') return 'list';
  return 'string';
}

function allowedBy(field: JsonSchema): string {
  if (field.allowed !== undefined) return field.allowed;
  if (field.enum !== undefined) return field.enum.join(', ');
  if (field.type === 'boolean') return 'true, false';
  if (field.type === 'object') return 'a map';
  if (field.type === 'string' && field.minLength !== undefined && field.minLength > 1) {
    return `text of ${field.minLength} characters or more`;
  }
  if (field.type !== 'integer' && field.type !== 'number') return 'text';
  return `${field.type === 'integer' ? 'whole number' : 'number'}, ${field.minimum} to ${field.maximum}`;
}
