// Loaded into a measured server by --import: how long fragments of recordings take until they are on the disk.
import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Histogram } from '../histogram.js';
import { FLUSH_FILE, type FlushReport } from './flush-delays.js';

interface Append {
  readonly bytes: number;
  readonly at: number;
}

interface WrittenFile {
  append(bytes: Buffer): void;
  take(news: { readonly kind: string; readonly taken?: number }): boolean;
}

const GROWING_FILE = new URL('../../../packages/storage/dist/recorder/disk/growing-file.js', import.meta.url);
const file = resolve(FLUSH_FILE);
const waiting = new WeakMap<object, Append[]>();
let delays = new Histogram();
let [isWatching, waitingBytes, mostWaiting, failed] = [false, 0, 0, 0];

const { WrittenFile } = (await import(GROWING_FILE.href)) as { WrittenFile: { prototype: WrittenFile } };
const { append, take } = WrittenFile.prototype;

WrittenFile.prototype.append = function (bytes) {
  const appends = waiting.get(this) ?? [];
  waiting.set(this, appends);
  appends.push({ bytes: bytes.length, at: performance.now() });
  waitingBytes += bytes.length;
  mostWaiting = Math.max(mostWaiting, waitingBytes);
  append.call(this, bytes);
};

WrittenFile.prototype.take = function (news) {
  const appends = waiting.get(this) ?? [];
  if (news.kind === 'failed') failed += 1;
  if (news.kind === 'failed' || news.kind === 'closed') done(appends, Number.POSITIVE_INFINITY);
  if (news.kind === 'flushed') done(appends, news.taken ?? 0);
  return take.call(this, news);
};

function done(appends: Append[], taken: number): void {
  const now = performance.now();
  let left = taken;
  for (let oldest = appends[0]; oldest !== undefined && left >= oldest.bytes; oldest = appends[0]) {
    left -= oldest.bytes;
    waitingBytes -= oldest.bytes;
    if (isWatching && taken !== Number.POSITIVE_INFINITY) delays.record((now - oldest.at) * 1000);
    appends.shift();
  }
}

process.on('SIGUSR2', () => {
  isWatching = !isWatching;
  if (!isWatching) {
    const millis = (fraction: number) => (delays.count === 0 ? 0 : delays.percentile(fraction) / 1000);
    const report: FlushReport = {
      appends: delays.count,
      p50Ms: millis(0.5),
      p99Ms: millis(0.99),
      maxMs: delays.max / 1000,
      mostWaiting,
      failed,
    };
    writeFileSync(`${file}.part`, JSON.stringify(report));
    renameSync(`${file}.part`, file);
  }
  delays = new Histogram();
  mostWaiting = 0;
  failed = 0;
});
