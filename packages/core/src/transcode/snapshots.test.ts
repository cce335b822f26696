import { spawnSync } from 'node:child_process';
import { Fmp4Reader, micros, millis, type Sample, type VideoTrackConfig } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../logger.js';
import type { StreamPath } from '../stream-path.js';
import { findFfmpeg } from './ffmpeg-path.js';
import { Snapshots } from './snapshots.js';
import { Turns } from './turns.js';

const PROGRAM = { file: findFfmpeg(process.env) ?? '', prlimit: undefined };
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-frames:v', '3', '-pix_fmt', 'yuv420p'];
const IVF_HEADER = 32;
const IVF_FRAME_HEADER = 12;

function made(args: readonly string[]): Buffer {
  const { stdout, stderr, status } = spawnSync('ffmpeg', ['-v', 'error', ...args], { maxBuffer: 1 << 24 });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

type Keyframe = { readonly config: VideoTrackConfig; readonly sample: Sample };

function fromMp4(...coding: string[]): Keyframe {
  const bytes = made([...PICTURE, ...coding, '-f', 'mp4', '-movflags', 'delay_moov+frag_keyframe', '-']);
  const events = new Fmp4Reader().push(bytes);
  const config = events.flatMap((event) => (event.type === 'config' ? [event.config] : []))[0];
  const sample = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []))[0];
  if (config?.kind !== 'video' || sample === undefined) throw new Error('no picture was made');
  return { config, sample };
}

function vp8(): Keyframe {
  const bytes = made([...PICTURE, '-c:v', 'libvpx', '-f', 'ivf', '-']);
  const start = IVF_HEADER + IVF_FRAME_HEADER;
  const data = bytes.subarray(start, start + bytes.readUInt32LE(IVF_HEADER));
  const config: VideoTrackConfig = {
    ...{
      kind: 'video',
      codec: 'vp8',
      codecString: 'vp8',
      track: 0,
      description: Buffer.alloc(0),
      width: 320,
      height: 180,
    },
  };
  return { config, sample: { track: 0, kind: 'video', dts: micros(0), pts: micros(0), keyframe: true, data } };
}

function snapshots(options: { program?: typeof PROGRAM | undefined } = {}) {
  const clock = { now: 0 };
  const made = new Snapshots({
    program: PROGRAM,
    limits: () => ({ nice: 5, memoryMb: 1024 }),
    seconds: () => 5,
    now: () => millis(clock.now),
    log: silentLogger,
    ...options,
  });
  return { made, clock };
}

const stream = (keyframe: Keyframe | undefined) => {
  return { path: 'live/show' as StreamPath, keyframe, wallTimeOf: () => millis(1_800_000_000_000) };
};

describe('Snapshots', () => {
  const PICTURES: readonly (readonly [string, () => Keyframe])[] = [
    ['h264', () => fromMp4('-c:v', 'libx264', '-preset', 'ultrafast')],
    ['hevc', () => fromMp4('-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none')],
    ['vp9', () => fromMp4('-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8')],
    ['av1', () => fromMp4('-c:v', 'libsvtav1', '-preset', '12')],
    ['vp8', vp8],
  ];

  it.each(PICTURES)('makes a JPEG of %s', async (_codec, make) => {
    const { made: shots } = snapshots();
    const { jpeg, at } = await shots.of(stream(make()));
    expect(jpeg.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    expect(at).toBe(1_800_000_000_000);
  });

  it('makes one for all who ask within its time, and then another', async () => {
    const { made: shots, clock } = snapshots();
    const show = stream(vp8());
    const first = shots.of(show);
    expect(shots.of(show)).toBe(first);
    clock.now = 4999;
    expect(shots.of(show)).toBe(first);
    clock.now = 5000;
    const next = shots.of(show);
    expect(next).not.toBe(first);
    await Promise.all([first, next]);
  });

  it('says what is missing', async () => {
    const { made: shots } = snapshots();
    await expect(shots.of(stream(undefined))).rejects.toMatchObject({ code: 'unavailable', message: /no keyframe/ });
    const broken = vp8();
    const noise = { ...broken, sample: { ...broken.sample, data: Buffer.alloc(100, 0x5a) } };
    await expect(shots.of(stream(noise))).rejects.toMatchObject({ code: 'unavailable', message: /no picture can be/ });
    const { made: none } = snapshots({ program: undefined });
    await expect(none.of(stream(vp8()))).rejects.toMatchObject({ code: 'unavailable', message: /no ffmpeg/ });
  });
});

describe('Turns', () => {
  it('lets some at once, some wait, and the rest go', async () => {
    const turns = new Turns(1, 1);
    await turns.take();
    let got = false;
    const second = turns.take()?.then(() => {
      got = true;
    });
    expect(turns.take()).toBeUndefined();
    await Promise.resolve();
    expect(got).toBe(false);
    turns.give();
    await second;
    expect(got).toBe(true);
    turns.give();
    expect(turns.take()).toBeDefined();
  });
});
