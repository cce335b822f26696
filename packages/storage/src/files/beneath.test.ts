import { describe, expect, it } from 'vitest';
import { isBeneath } from './beneath.js';

describe('isBeneath', () => {
  it.each([
    ['/recordings', '/recordings/live/show.mp4', true],
    ['/', '/live/show.mp4', true],
    ['/recordings', '/recordings', false],
    ['/recordings', '/recordings-2/show.mp4', false],
    ['/recordings', '/etc/passwd', false],
  ])('knows of %s and %s: %s', (directory, path, is) => {
    expect(isBeneath(directory, path)).toBe(is);
  });
});
