import { describe, expect, it } from 'vitest';
import { pathFits } from './path-pattern.js';

describe('pathFits', () => {
  it.each([
    ['live/show', 'live/show', true],
    ['live/show', 'live/show2', false],
    ['live/*', 'live/show', true],
    ['live/*', 'live/a/b', false],
    ['*/test', 'studio/test', true],
    ['live/*-hd', 'live/show-hd', true],
    ['live/*-hd', 'live/-hd', true],
    ['live/a*a', 'live/a', false],
    ['live/a*b*c', 'live/a.b.b.c', true],
    ['live/a*b*c', 'live/acb', false],
    ['live/**', 'live/x', true],
    ['l.ve/show', 'live/show', false],
  ])('%s and %s: %s', (pattern, path, fits) => {
    expect(pathFits(pattern, path)).toBe(fits);
  });
});
