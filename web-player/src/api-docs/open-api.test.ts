import { describe, expect, it } from 'vitest';
import { exampleOf, type Operation, requestUrl, typeText } from './open-api.js';

describe('typeText', () => {
  it.each([
    [{ type: 'string' }, 'string'],
    [{ type: 'array', items: { enum: ['a', 'b'] } }, '"a" | "b"[]'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 'string | null'],
    [{ const: 'ip' }, '"ip"'],
    [{}, 'anything'],
  ])('of %j is %s', (schema, text) => {
    expect(typeText(schema)).toBe(text);
  });
});

describe('exampleOf', () => {
  it('has what is needed and what has a default', () => {
    const schema = {
      type: 'object',
      required: ['path'],
      properties: {
        path: { type: 'string' },
        action: { enum: ['publish', 'play'], default: 'play' },
        ip: { type: 'string' },
      },
    };
    expect(exampleOf(schema)).toEqual({ path: '', action: 'play' });
    expect(exampleOf({ oneOf: [schema, { type: 'number' }] })).toEqual({ path: '', action: 'play' });
  });
});

describe('requestUrl', () => {
  const operation = {
    parameters: [
      { name: 'path', in: 'path', required: true, schema: {} },
      { name: 'limit', in: 'query', required: false, schema: {} },
    ],
  } as unknown as Operation;

  it('keeps the slashes of stream paths, and leaves out what is empty', () => {
    const url = (path: string, limit: string) =>
      requestUrl(
        '/api/v2',
        '/streams/{path}',
        operation,
        new Map([
          ['path', path],
          ['limit', limit],
        ]),
      );
    expect(url('live/a b', '')).toBe('/api/v2/streams/live/a%20b');
    expect(url('live/show', '5')).toBe('/api/v2/streams/live/show?limit=5');
  });
});
