import { z } from 'zod';
import type { Route } from './route.js';

const ERROR_SCHEMA = z.object({
  error: z.object({
    code: z.string().describe('Stable, for programs.'),
    message: z.string().describe('A sentence, for people.'),
    field: z.string().optional().describe('What of the request it is about.'),
  }),
});

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of routes: the same schemas that check the requests. */
export function openApiOf(routes: readonly Route[], about: { version: string; basePath: string }): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    paths[route.path] = { ...path, [route.method]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice control API',
      version: about.version,
      description: 'Streams, recordings, sessions, bans, keys, tokens, users, settings and audit of a Sluice server.',
    },
    servers: [{ url: about.basePath }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: jsonSchema(ERROR_SCHEMA, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A login’s access token, or an API key.' },
        basic: { type: 'http', scheme: 'basic', description: 'A user’s name and password.' },
      },
    },
  };
}

function operationOf(route: Route): Json {
  const { method, path, tag, summary, needs, limited, body, answer, status } = route;
  const errors = ['400', ...(needs === 'nothing' ? [] : ['401', '403']), ...(limited ? ['429'] : [])];
  return {
    operationId: `${method}${path.replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, '')}`,
    tags: [tag],
    summary,
    description: describeNeed(needs),
    ...(needs === 'nothing'
      ? {}
      : { security: [...(needs === 'open-read' ? [{}] : []), { bearer: [] }, { basic: [] }] }),
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } } }),
    responses: {
      [status]:
        answer === undefined
          ? { description: 'Done.' }
          : { description: 'Done.', content: { 'application/json': { schema: jsonSchema(answer, 'output') } } },
      ...Object.fromEntries(errors.map((code) => [code, errorResponse(code)])),
    },
  };
}

const ERROR_WORDS: Readonly<Record<string, string>> = {
  '400': 'The request is not valid.',
  '401': 'A credential is needed.',
  '403': 'The credential is not good for this.',
  '429': 'Too many requests.',
};

function errorResponse(code: string): Json {
  const schema = { $ref: '#/components/schemas/Error' };
  return { description: ERROR_WORDS[code] ?? '', content: { 'application/json': { schema } } };
}

function describeNeed(needs: Route['needs']): string {
  if (needs === 'nothing') return 'Needs no credential.';
  if (needs === 'open-read') return 'Needs the scope `read`, unless `api.openReads` lets everybody here read.';
  return `Needs the scope \`${needs}\`.`;
}

function parametersOf(schema: z.ZodObject, place: 'path' | 'query'): Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...field }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: field,
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' });
  return rest;
}
