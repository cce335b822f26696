import { type Logger, systemClock } from '@sluice/core';
import { describe, expect, it } from 'vitest';
import { CaptureLog } from './capture-log.js';

describe('the log of a capture', () => {
  it('keeps the last lines of it, and writes all into the log of the server, marked', () => {
    const written: unknown[] = [];
    const write: Logger['info'] = (fields, message) => written.push({ ...fields, message });
    const log = { debug: write, info: write, warn: write, error: write };
    const own = new CaptureLog({ capture: 'c1', clock: systemClock, log });
    own.log.debug({ at: 1 }, 'too much for people');
    own.log.warn({ trouble: 'black' }, 'nothing is seen');
    expect(own.lines).toMatchObject([{ level: 'warn', message: 'nothing is seen', fields: { trouble: 'black' } }]);
    expect(written).toEqual([
      { capture: 'c1', at: 1, message: 'too much for people' },
      { capture: 'c1', trouble: 'black', message: 'nothing is seen' },
    ]);
    for (let line = 0; line < 1000; line++) own.log.info({ line }, 'more');
    expect(own.lines).toHaveLength(300);
    expect(own.lines.at(-1)?.fields).toEqual({ line: 999 });
    expect(written).toHaveLength(1002);
  });
});
