import { describe, expect, it } from 'vitest';
import { matchPath } from './match-path.js';

describe('paths of the console', () => {
  it.each([
    ['/', '/', {}],
    ['/sessions', '/sessions/', {}],
    ['/streams/*path', '/streams/live/a%20show', { path: 'live/a show' }],
    ['/users/:id', '/users/7', { id: '7' }],
    ['/users/:id', '/users/7/8', undefined],
    ['/streams/*path', '/streams', undefined],
    ['/streams/*path', '/streams/%E0%A4%A', undefined],
    ['/sessions', '/', undefined],
  ])('%s and %s', (pattern, path, params) => {
    expect(matchPath(pattern, path)).toEqual(params);
  });
});
