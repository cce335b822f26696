import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_ROUND } from './sync-round.js';
import { SyncThreads } from './sync-threads.js';
import { ThreadWatch } from './thread-watch.js';

const NO_FILE = 9999;

describe('SyncThreads', () => {
  let directory: string;
  let watch: ThreadWatch;
  let threads: SyncThreads;
  let fds: number[];
  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), 'sluice-sync-'));
    watch = new ThreadWatch({ slowMs: 10_000, tell: () => {} });
    threads = new SyncThreads(watch.shared);
    fds = Array.from({ length: MAX_ROUND }, (_, at) => fs.openSync(join(directory, `${at}`), 'w'));
  });
  afterEach(() => {
    threads.stop();
    watch.stop();
    for (const fd of fds) fs.closeSync(fd);
    fs.rmSync(directory, { recursive: true });
  });

  it('says of each file whether it is on the disk, few or many, round after round', () => {
    const calls = new Int32Array(watch.shared);
    let expected = 0;
    for (let round = 0; round < 400; round++) {
      const count = 1 + ((round * 7) % MAX_ROUND);
      const bad = round % (count + 3);
      const asked = fds.slice(0, count).map((fd, at) => (at === bad ? NO_FILE : fd));
      for (const fd of asked) if (fd !== NO_FILE && round % 10 === 0) fs.writeSync(fd, 'more');
      const failed = threads.sync(asked).flatMap((error, at) => (error === undefined ? [] : [{ at, error }]));
      expect(failed).toEqual(bad < count ? [{ at: bad, error: expect.objectContaining({ code: 'EBADF' }) }] : []);
      expected += count;
      expect(calls[0]).toBe(expected);
    }
  });

  it('does it alone where others are not there yet', () => {
    expect(threads.sync([])).toEqual([]);
    expect(threads.sync(fds)).toEqual(fds.map(() => undefined));
  });
});
