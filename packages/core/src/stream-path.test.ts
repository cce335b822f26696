import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from './errors.js';
import { MAX_STREAM_PATH_LENGTH, parseStreamPath, tryParseStreamPath } from './stream-path.js';

describe('stream paths', () => {
  it.each(['live/show', 'a/b/c', 'live/Show-1_2.x', '_/-', 'live/a..b'])('takes %s', (path) => {
    expect(parseStreamPath(path)).toBe(path);
  });

  it.each([
    ['', /has no "\/"/],
    ['show', /has no "\/"/],
    ['live/', /each part takes/],
    ['/show', /each part takes/],
    ['live/..', /each part takes/],
    ['live/.hidden', /each part takes/],
    ['live/a\0b', /each part takes/],
    ['live/a%2fb', /each part takes/],
    ['live/ü', /each part takes/],
    ['status/show', /word of the server's own URLs/],
    [`live/${'a'.repeat(MAX_STREAM_PATH_LENGTH)}`, /characters; 255 are allowed/],
  ])('refuses %j and says why', (path, message) => {
    expect(() => parseStreamPath(path)).toThrow(message);
    expect(() => parseStreamPath(path)).toThrow(Refusal);
  });

  it('takes nothing outside the grammar, and never repeats control characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }), (a, b) => {
        const path = `${a}/${b}`;
        if (tryParseStreamPath(path) !== undefined) {
          expect(path).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/);
          return;
        }
        try {
          parseStreamPath(path);
        } catch (error) {
          expect([...(error as Error).message].filter((character) => character < ' ')).toEqual([]);
        }
      }),
    );
  });
});
