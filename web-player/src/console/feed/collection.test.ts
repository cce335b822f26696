import { describe, expect, it } from 'vitest';
import { Collection } from './collection.js';

interface Entry {
  readonly path: string;
  readonly fps: number;
  readonly state: string;
}

describe('a list of the feed', () => {
  it('follows what is new, what has changed and what is gone', () => {
    const list = new Collection<Entry>('path');
    list.replace([
      { path: 'a', fps: 25, state: 'live' },
      { path: 'b', fps: 30, state: 'live' },
    ]);
    const b = list.get('b');
    list.apply({
      set: [
        { path: 'a', fps: 24 },
        { path: 'c', fps: 50, state: 'waiting' },
      ],
    });
    expect(list.values()).toEqual([
      { path: 'a', fps: 24, state: 'live' },
      { path: 'b', fps: 30, state: 'live' },
      { path: 'c', fps: 50, state: 'waiting' },
    ]);
    expect(list.get('b')).toBe(b);
    list.apply({ gone: ['a', 'nobody'] });
    expect(list.size).toBe(2);
  });
});
