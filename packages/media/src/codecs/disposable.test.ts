import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlvDemuxer } from '../flv/index.js';
import { TsDemuxer } from '../mpegts/index.js';
import type { Sample } from '../sample.js';
import { isDisposable } from './disposable.js';

/** Three seconds of pictures, with a B-frame after each P-frame. */
function pictures(coder: string, options: readonly string[], format: string): Sample[] {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10', '-t', '3', '-pix_fmt', 'yuv420p', '-c:v', coder];
  const { stdout } = spawnSync('ffmpeg', ['-v', 'error', ...source, ...options, '-f', format, '-'], {
    maxBuffer: 1 << 24,
  });
  const events = format === 'flv' ? new FlvDemuxer().push(stdout) : new TsDemuxer().push(stdout);
  return events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
}

describe('isDisposable', () => {
  const h264 = () => pictures('libx264', ['-bf', '1', '-x264-params', 'b-adapt=0:scenecut=0'], 'flv');
  const hevc = () =>
    pictures('libx265', ['-x265-params', 'bframes=1:b-adapt=0:b-pyramid=0:scenecut=0:log-level=none'], 'mpegts');

  it.each([
    ['h264', h264],
    ['hevc', hevc],
  ] as const)('finds the B-frames of %s', (codec, make) => {
    const samples = make();
    expect(samples.length).toBeGreaterThan(25);
    let latest = -1;
    let found = 0;
    for (const { pts, data } of samples) {
      const isB = pts < latest;
      latest = Math.max(latest, pts);
      expect(isDisposable(codec, data)).toBe(isB);
      if (isB) found += 1;
    }
    expect(found).toBeGreaterThan(10);
  });

  it('takes what it can not read for needed', () => {
    fc.assert(
      fc.property(fc.constantFrom('h264', 'hevc', 'av1', 'vp9'), fc.uint8Array({ maxLength: 60 }), (codec, bytes) => {
        expect(typeof isDisposable(codec, Buffer.from(bytes))).toBe('boolean');
      }),
    );
    expect(isDisposable('h264', Buffer.alloc(0))).toBe(false);
    expect(isDisposable('av1', Buffer.from('0000000201aa', 'hex'))).toBe(false);
  });
});
