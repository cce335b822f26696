import { describe, expect, it } from 'vitest';
import { EventBus } from './events.js';
import { silentLogger } from './logger.js';
import { parseStreamPath } from './stream-path.js';

const ENDED = { path: parseStreamPath('live/show'), reason: 'over', received: { bytes: 0, frames: 0 } };

describe('EventBus', () => {
  it('tells the listeners of an event, and no longer once they are removed', () => {
    const events = new EventBus(silentLogger);
    const heard: string[] = [];
    const stop = events.on('stream-ended', ({ reason }) => heard.push(reason));
    events.on('stream-waiting', () => heard.push('wrong'));
    events.emit('stream-ended', ENDED);
    stop();
    events.emit('stream-ended', ENDED);
    expect(heard).toEqual(['over']);
  });

  it('logs a listener that throws, and goes on with the others', () => {
    const logged: unknown[] = [];
    const events = new EventBus({ ...silentLogger, error: (fields) => logged.push(fields) });
    let heard = 0;
    events.on('stream-ended', () => {
      throw new Error('broken listener');
    });
    events.on('stream-ended', () => {
      heard += 1;
    });
    events.emit('stream-ended', ENDED);
    expect(heard).toBe(1);
    expect(logged).toEqual([{ event: 'stream-ended', error: 'broken listener' }]);
  });
});
