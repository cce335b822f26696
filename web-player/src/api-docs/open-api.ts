/** As much of a JSON Schema as the page shows. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

export interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

/** As much of an OpenAPI document as the page shows. */
export interface Document {
  readonly info: { readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export function jsonSchemaOf(content: Content | undefined): Schema | undefined {
  return content?.content?.['application/json']?.schema;
}

/** What a schema takes, in a few words. */
export function typeText(schema: Schema): string {
  const { anyOf, oneOf, items, type } = schema;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const alternatives = anyOf ?? oneOf;
  if (alternatives !== undefined) return alternatives.map(typeText).join(' | ');
  if (items !== undefined) return `${typeText(items)}[]`;
  if (type === undefined) return 'anything';
  return typeof type === 'string' ? type : type.join(' | ');
}

/** A value that fits, to begin with: what is needed, and what has a default. */
export function exampleOf(schema: Schema): unknown {
  const { anyOf, oneOf, properties, required = [] } = schema;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [first] = anyOf ?? oneOf ?? [];
  if (first !== undefined) return exampleOf(first);
  if (properties !== undefined) {
    const shown = Object.entries(properties).filter(
      ([name, field]) => required.includes(name) || field.default !== undefined,
    );
    return Object.fromEntries(shown.map(([name, field]) => [name, exampleOf(field)]));
  }
  if (schema.items !== undefined) return [];
  if (schema.type === 'integer' || schema.type === 'number') return 0;
  if (schema.type === 'boolean') return false;
  return schema.type === 'object' ? {} : '';
}

/** The URL of a request. Stream paths keep their slashes. */
export function requestUrl(
  base: string,
  path: string,
  operation: Operation,
  values: ReadonlyMap<string, string>,
): string {
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, in: place } of operation.parameters) {
    const value = values.get(name) ?? '';
    if (place === 'path') filled = filled.replace(`{${name}}`, value.split('/').map(encodeURIComponent).join('/'));
    else if (value !== '') query.set(name, value);
  }
  return `${base}${filled}${query.size === 0 ? '' : `?${query}`}`;
}
