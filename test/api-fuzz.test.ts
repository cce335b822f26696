import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AS_ADMIN, startServer, type TestServer } from './support/server.js';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** What people who try doors put into fields. */
const NASTY: readonly unknown[] = [
  '',
  ' ',
  "'; DROP TABLE users; --",
  '" OR 1=1 --',
  '$(reboot)',
  '`id`; cat /etc/passwd',
  '../../etc/passwd',
  '%2e%2e%2f%00',
  '\u0000\u001b[2J',
  '<script>alert(1)</script>',
  '{{7*7}}<%= 7*7 %>',
  'a'.repeat(5000),
  '🙂'.repeat(500),
  -1,
  0,
  1e308,
  1.5,
  true,
  null,
  [],
  [[[[]]]],
  {},
  { __proto__: { admin: true }, constructor: 1 },
  '9'.repeat(400),
];

const NASTY_PATHS = [
  '..',
  '%2e%2e',
  '%00',
  '%ff%fe',
  '%',
  'a%2fb%2f..',
  '.%2e/x',
  'x'.repeat(8000),
  "'or'1",
  '*',
  '%0d%0aX: y',
];

describe('the control API, from its own description', () => {
  let sluice: TestServer;
  let document: Document;
  beforeAll(async () => {
    sluice = await startServer();
    document = (await (await fetch(`${sluice.api}/api/v2/openapi.json`)).json()) as Document;
  });
  afterAll(() => sluice.stop());

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );

  /** Sends a request, and holds its answer to what every answer has to be. */
  async function ask(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = AS_ADMIN,
  ) {
    const response = await fetch(`${sluice.api}/api/v2${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    // A feed goes on for as long as somebody listens.
    const isFeed = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isFeed) await response.body?.cancel();
    const text = isFeed ? '' : await response.text();
    const told = `${method} ${path.slice(0, 100)} ${String(body).slice(0, 100)} → ${response.status} ${text.slice(0, 200)}`;
    expect(response.status, told).toBeLessThan(500);
    expect(text, told).not.toMatch(/\bat .*\.[jt]s:\d+|node_modules|SQLITE/);
    if (response.status >= 400) {
      const { error } = JSON.parse(text) as { error: { code: string; message: string; field?: string } };
      expect(error, told).toMatchObject({ code: expect.stringMatching(/^[a-z-]+$/), message: expect.any(String) });
    }
    return response.status;
  }

  const bodySchema = ({ requestBody }: Operation): Schema | undefined =>
    requestBody?.content['application/json']?.schema;
  const fieldsOf = (schema: Schema | undefined): string[] => {
    const alternatives = schema?.oneOf ?? schema?.anyOf ?? [];
    return [...new Set([...Object.keys(schema?.properties ?? {}), ...alternatives.flatMap(fieldsOf)])];
  };
  const pathWith = (path: string, value: string): string => path.replace(/\{\w+\}/g, value);
  /** A URL of the operation that leads somewhere. */
  const anyPath = (path: string): string => path.replace('{path}', 'x/y').replace(/\{\w+\}/g, 'x');

  it('is a sound description: each operation has a name of its own, and nothing refers to what is not there', () => {
    expect(document.openapi).toBe('3.1.0');
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(25);
    for (const [, name = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas[name]).toBeDefined();
    }
  });

  it('answers nobody without a credential where one is needed, whatever is sent', async () => {
    const json = { 'Content-Type': 'application/json' };
    const open = new Set(['200 GET', '404 GET', '400 GET', '405 GET']);
    for (const { path, method, operation } of operations()) {
      if (path.startsWith('/auth/')) continue;
      const status = await ask(method, anyPath(path), method === 'GET' ? undefined : '{}', json);
      if (method === 'GET' && open.has(`${status} GET`)) continue;
      expect([401, 429], `${operation.operationId}: ${status}`).toContain(status);
    }
  });

  it('takes a wrong field for what it is, and names it', async () => {
    for (const { path, method, operation } of operations()) {
      const fields = fieldsOf(bodySchema(operation));
      for (const field of [...fields, 'unknown', '__proto__']) {
        for (const value of NASTY.slice(0, field === fields[0] ? NASTY.length : 8)) {
          const body = `{"${field}":${JSON.stringify(value)}}`;
          if (bodySchema(operation) !== undefined) await ask(method, anyPath(path), body);
        }
      }
    }
  });

  it('takes parameters for what they are', async () => {
    for (const { path, method, operation } of operations()) {
      if (method !== 'GET') continue;
      const names = operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      for (const name of [...names, 'unknown', '__proto__', 'constructor']) {
        for (const value of NASTY) {
          const query = `${name}=${encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value))}`;
          await ask(method, `${anyPath(path)}?${query}`);
        }
        expect(await ask(method, `${anyPath(path)}?${name}=1&${name}=2`)).toBeGreaterThanOrEqual(400);
      }
    }
  });

  it('takes names in paths for what they are', async () => {
    for (const { path, method } of operations()) {
      if (!path.includes('{')) continue;
      for (const value of NASTY_PATHS) {
        const status = await ask(method, pathWith(path, value), method === 'GET' ? undefined : '{}');
        // Dots are resolved before they are sent, and then the request is one for another route.
        const sent = new URL(`${sluice.api}${pathWith(path, value)}`).pathname;
        if (sent.startsWith(path.slice(0, path.indexOf('{')))) expect(status).toBeGreaterThanOrEqual(400);
      }
    }
  });

  it('takes bodies for what they are', async () => {
    const bodies: [string | Uint8Array, Record<string, string>, number[]][] = [
      ['{"a":', AS_ADMIN, [400, 429]],
      ['null', AS_ADMIN, [400, 429]],
      ['[1,2]', AS_ADMIN, [400, 429]],
      ['"text"', AS_ADMIN, [400, 429]],
      ['a=b', { ...AS_ADMIN, 'Content-Type': 'application/x-www-form-urlencoded' }, [415, 429]],
      ['{}', { ...AS_ADMIN, 'Content-Type': 'text/plain' }, [415, 429]],
      ['{}', { ...AS_ADMIN, 'Content-Type': 'application/json; charset=koi8-r' }, [400, 415, 429]],
      ['{}', { ...AS_ADMIN, 'Content-Encoding': 'gzip' }, [400, 429]],
      [new Uint8Array([123, 34, 255, 254, 34, 58, 49, 125]), AS_ADMIN, [400, 429]],
      [`{"label":"${'x'.repeat(70_000)}"}`, AS_ADMIN, [413, 429]],
      ['['.repeat(20_000), AS_ADMIN, [400, 429]],
    ];
    for (const { path, method, operation } of operations()) {
      if (bodySchema(operation) === undefined) continue;
      for (const [body, headers, expected] of bodies) {
        expect(expected, `${operation.operationId} ${String(body).slice(0, 40)}`).toContain(
          await ask(method, anyPath(path), body, headers),
        );
      }
    }
  });

  it.each(['TRACE', 'PUT', 'PATCH', 'POST', 'DELETE', 'HEAD'])('knows no %s where there is none', async (method) => {
    const raw = connect(sluice.server.ports.api ?? 0, '127.0.0.1');
    raw.write(`${method} /api/v2/server HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    let answer = '';
    raw.on('data', (bytes) => {
      answer += bytes;
    });
    await once(raw, 'close');
    expect(answer).toMatch(method === 'HEAD' ? /^HTTP\/1.1 (200|405)/ : /^HTTP\/1.1 405/);
  });

  const requests = [
    'GARBAGE\r\n\r\n',
    'GET /api/v2/server HTTP/9.9\r\n\r\n',
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    'POST /api/v2/bans HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'GET //api/v2/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  ].map((request) => [request.slice(0, 60), request] as const);

  it.each(requests)('survives %j', async (_begin, request) => {
    const raw = connect(sluice.server.ports.api ?? 0, '127.0.0.1');
    raw.on('error', () => undefined);
    raw.write(request);
    let answer = '';
    raw.on('data', (bytes) => {
      answer += bytes;
    });
    await once(raw, 'close');
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d/);
    expect(answer).not.toContain('root:');
    expect((await fetch(`${sluice.api}/healthz`)).status).toBe(200);
  });

  it('has not logged a fault of its own in all that', () => {
    expect(sluice.log.filter(({ level, msg }) => level === 'error' && /control API failed/.test(msg))).toEqual([]);
  });
});
