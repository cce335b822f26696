import { describe, expect, it } from 'vitest';
import { PictureWatch } from './picture-watch.js';

describe('PictureWatch', () => {
  it('tells a moving picture from one that stands', () => {
    const watch = new PictureWatch(1000, 0);
    expect(watch.look(1250, 0, false)).toMatchObject({ moving: false, stillFor: 250, hasMoved: false, age: 250 });
    expect(watch.look(1500, 0.2, false)).toMatchObject({ moving: true, stillFor: 0, hasMoved: true });
    expect(watch.look(2500, 0.2, false)).toMatchObject({ moving: false, stillFor: 1000, hasMoved: true });
  });

  it('takes a seek for no move', () => {
    const watch = new PictureWatch(0, 0);
    watch.sought(5);
    expect(watch.look(250, 5, false)).toMatchObject({ moving: false, hasMoved: false });
    expect(watch.look(500, 5.1, false)).toMatchObject({ moving: true });
  });

  it('counts a pause from its begin, and stillness from its end', () => {
    const watch = new PictureWatch(0, 0);
    expect(watch.look(1000, 0, true)).toMatchObject({ pausedFor: 0, stillFor: 0 });
    expect(watch.look(9000, 0, true)).toMatchObject({ pausedFor: 8000, stillFor: 0 });
    expect(watch.look(9500, 0, false)).toMatchObject({ pausedFor: 0, stillFor: 500 });
    expect(watch.look(10_000, 0, true)).toMatchObject({ pausedFor: 0 });
  });

  it('gives an encoder that came back time to send', () => {
    const watch = new PictureWatch(0, 0);
    watch.expectMove(30_000);
    expect(watch.look(30_250, 0, false)).toMatchObject({ stillFor: 250, age: 30_250 });
  });
});
