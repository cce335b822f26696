// Loaded into a measured server by --import: notes when each part is there, and counts the playlists that are made.
import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { monotonicMs } from '../clock.js';
import { type PartMark, PROBE_FILE, type ProbeReport } from './probe.js';

interface OpenSegment {
  readonly number: number;
  readonly parts: readonly unknown[];
}

const WINDOW = new URL('../../../packages/delivery/dist/hls/segment-window.js', import.meta.url);
const TEXT = new URL('../../../packages/delivery/dist/hls/shared-text.js', import.meta.url);
const file = resolve(PROBE_FILE);
let parts: PartMark[] = [];
let renderings = 0;
let isWatching = false;

// A playlist that is asked for zipped is zipped once; every viewer of the load asks for it zipped.
const { SharedText } = (await import(TEXT.href)) as { SharedText: { prototype: object } };
const zipped = Object.getOwnPropertyDescriptor(SharedText.prototype, 'gzip');
const seen = new WeakSet();
Object.defineProperty(SharedText.prototype, 'gzip', {
  get() {
    if (!seen.has(this)) renderings += 1;
    seen.add(this);
    return zipped?.get?.call(this);
  },
});

const { SegmentWindow } = (await import(WINDOW.href)) as {
  SegmentWindow: { prototype: { setOpen(segment: OpenSegment): void } };
};
const { setOpen } = SegmentWindow.prototype;
SegmentWindow.prototype.setOpen = function (segment) {
  if (isWatching) parts.push([segment.number, segment.parts.length - 1, monotonicMs()]);
  setOpen.call(this, segment);
};

process.on('SIGUSR2', () => {
  isWatching = !isWatching;
  if (!isWatching) {
    const report: ProbeReport = { parts, renderings };
    writeFileSync(`${file}.part`, JSON.stringify(report));
    renameSync(`${file}.part`, file);
  }
  parts = [];
  renderings = 0;
});
