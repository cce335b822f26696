import { describe, expect, it } from 'vitest';
import { ListChanges } from './list-changes.js';

describe('what has changed of a list', () => {
  it('is what is new, what is different, and what is gone', () => {
    const list = new ListChanges<{ path: string; fps: number; health: { state: string } }>('path');
    const good = () => ({ state: 'good' });
    expect(list.update([{ path: 'a', fps: 25, health: good() }])).toEqual({
      set: [{ path: 'a', fps: 25, health: good() }],
    });
    expect(list.update([{ path: 'a', fps: 25, health: good() }])).toBeUndefined();
    expect(
      list.update([
        { path: 'a', fps: 24, health: good() },
        { path: 'b', fps: 50, health: good() },
      ]),
    ).toEqual({
      set: [
        { path: 'a', fps: 24 },
        { path: 'b', fps: 50, health: good() },
      ],
    });
    expect(list.update([{ path: 'b', fps: 50, health: { state: 'bad' } }])).toEqual({
      set: [{ path: 'b', health: { state: 'bad' } }],
      gone: ['a'],
    });
    expect([...list.entries.keys()]).toEqual(['b']);
  });
});
