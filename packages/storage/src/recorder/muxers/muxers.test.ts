import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  av1TrackConfig,
  FlvDemuxer,
  MediaError,
  type MediaEvent,
  micros,
  readMp4,
  type Sample,
  scanMp4,
  type TrackConfig,
  TsDemuxer,
  writeId3,
} from '@sluice/media';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Clip, makeClip } from '../../../../../test/support/clip.js';
import { ffmpeg, testPicture, testSound } from '../../../../../test/support/ffmpeg.js';
import { CONTAINER_FORMATS } from './formats.js';

const SECOND = 1_000_000;

const DEMUX: Record<keyof typeof CONTAINER_FORMATS, (bytes: Buffer) => readonly { readonly type: string }[]> = {
  mp4: (bytes) => readMp4(bytes),
  flv: (bytes) => new FlvDemuxer().push(bytes),
  ts: (bytes) => {
    const demuxer = new TsDemuxer();
    return [...demuxer.push(bytes), ...demuxer.flush()];
  },
};

/** Muxes a clip as a recording that began in the middle of a stream does, in pieces of half a second. */
function record(container: keyof typeof CONTAINER_FORMATS, clip: Clip): Buffer {
  const tracks = clip.events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []));
  const muxer = CONTAINER_FORMATS[container].open({ tracks, metadata: {}, seconds: 60 });
  const pieces: Buffer[] = [];
  let flushed = 0;
  for (const sample of clip.samples) {
    const later = { ...sample, dts: micros(sample.dts + 100 * SECOND), pts: micros(sample.pts + 100 * SECOND) };
    if (sample.dts - flushed >= SECOND / 2) {
      pieces.push(muxer.take(false) ?? Buffer.alloc(0));
      flushed = sample.dts;
    }
    muxer.sample(later);
  }
  pieces.push(muxer.take(true) ?? Buffer.alloc(0));
  expect(muxer.take(true)).toBeUndefined();
  for (const piece of pieces) expect(piece.buffer.byteLength).toBe(piece.length);
  const bytes = Buffer.concat(pieces);
  const { at, bytes: room } = muxer.reserve ?? { at: 0, bytes: 0 };
  return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(room), bytes.subarray(at)]);
}

/** What ffmpeg makes of a test picture and sound. */
async function mp4Clip(codecs: readonly string[]): Promise<Clip> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-muxers-'));
  try {
    const file = join(directory, 'clip.mp4');
    await ffmpeg([...testPicture({ seconds: 2 }), ...testSound(2), '-g', '25', ...codecs, file]);
    const events = readMp4(await readFile(file)).filter((event) => event.type !== 'unsupported-track');
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    return { events, samples: samples.sort((a, b) => a.dts - b.dts) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const LAG = 1.2 * SECOND;

/** As a multiplexer sends it that is far ahead with the picture. */
function withLateSound({ events, samples }: Clip): Clip {
  const arrival = ({ kind, dts }: Sample) => (kind === 'audio' ? dts + LAG : dts);
  const moved = samples.map((sample) =>
    sample.kind === 'audio' ? { ...sample, dts: micros(sample.dts - LAG), pts: micros(sample.pts - LAG) } : sample,
  );
  return { events, samples: moved.sort((a, b) => arrival(a) - arrival(b)) };
}

const of = (samples: readonly Sample[], kind: Sample['kind']) => samples.filter((sample) => sample.kind === kind);

describe('muxers of recordings', () => {
  let clip: Clip;
  let hevc: Clip;
  beforeAll(async () => {
    clip = await makeClip('h264-b', 3);
    hevc = await makeClip('hevc', 2);
  });

  it.each(['mp4', 'flv', 'ts'] as const)('%s has each sample, at its distance from the first one', (container) => {
    for (const source of [clip, hevc, withLateSound(clip)]) {
      const events = DEMUX[container](record(container, source)) as readonly MediaEvent[];
      const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
      const first = Math.min(...source.samples.map(({ dts }) => dts));
      const earliest = Math.min(...samples.map(({ dts }) => dts));
      if (container !== 'ts') expect(earliest).toBe(0);
      for (const kind of ['video', 'audio'] as const) {
        const [sent, got] = [of(source.samples, kind), of(samples, kind)];
        expect([kind, got.length]).toEqual([kind, sent.length]);
        const off = sent.map(({ dts, pts }, at) =>
          Math.max(
            Math.abs((got[at]?.dts ?? 0) - earliest - (dts - first)),
            Math.abs((got[at]?.pts ?? 0) - earliest - (pts - first)),
          ),
        );
        // FLV counts milliseconds; MP4 joins sound that its timestamps tell no better than that.
        expect(Math.max(...off)).toBeLessThanOrEqual(container === 'ts' ? 12 : 2000);
        expect(got.map(({ keyframe }) => keyframe)).toEqual(sent.map(({ keyframe }) => keyframe));
        if (container !== 'ts') expect(got.every(({ data }, at) => sent[at]?.data.equals(data))).toBe(true);
      }
    }
  });

  it.each(['mp4', 'flv'] as const)(
    '%s has nothing that comes when its beginning is written, and was before',
    (container) => {
      const { events, samples } = withLateSound(clip);
      const start = Math.min(...of(samples, 'video').map(({ dts }) => dts));
      const [early, late] = [of(samples, 'audio').filter(({ dts }) => dts < start), samples].map(
        (some) => new Set(some),
      );
      const tracks = events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []));
      const muxer = CONTAINER_FORMATS[container].open({ tracks, metadata: {}, seconds: 60 });
      for (const sample of early ?? []) late?.delete(sample);
      const [first, ...rest] = late ?? [];
      if (first === undefined) throw new Error('there are no samples');
      muxer.sample(first);
      for (const sample of rest.splice(0, 5)) muxer.sample(sample);
      const pieces = [muxer.take(false) ?? Buffer.alloc(0)];
      for (const sample of early ?? []) expect(() => muxer.sample(sample)).toThrow(MediaError);
      for (const sample of rest) muxer.sample(sample);
      const bytes = Buffer.concat([...pieces, muxer.take(true) ?? Buffer.alloc(0)]);
      const { at, bytes: room } = muxer.reserve ?? { at: 0, bytes: 0 };
      const file = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(room), bytes.subarray(at)]);
      const read = DEMUX[container](file).filter(({ type }) => type === 'sample');
      expect(read).toHaveLength(samples.length - (early?.size ?? 0));
    },
  );

  it.each(['mp4', 'flv', 'ts'] as const)('%s has a picture that no other follows for long', (container) => {
    const tracks = clip.events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []));
    const muxer = CONTAINER_FORMATS[container].open({ tracks, metadata: {}, seconds: 60 });
    const [picture] = of(clip.samples, 'video');
    if (picture === undefined) throw new Error('there are no pictures');
    const pieces: Buffer[] = [];
    const counts: number[] = [];
    for (let half = 0; half < 6; half++) {
      const isIn = ({ dts }: Sample) => dts - picture.dts >= half * 500_000 && dts - picture.dts < (half + 1) * 500_000;
      if (half === 0) muxer.sample(picture);
      if (half === 4) muxer.sample({ ...picture, dts: micros(picture.dts + 2_000_000), pts: picture.pts });
      for (const sample of of(clip.samples, 'audio').filter(isIn)) muxer.sample(sample);
      pieces.push(muxer.take(half === 5) ?? Buffer.alloc(0));
      const bytes = Buffer.concat(pieces);
      const { at, bytes: room } = muxer.reserve ?? { at: 0, bytes: 0 };
      const file = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(room), bytes.subarray(at)]);
      const read = DEMUX[container](file) as readonly MediaEvent[];
      counts.push(read.filter((event) => event.type === 'sample' && event.sample.kind === 'video').length);
    }
    expect([counts[1], counts[2], counts[5]]).toEqual([1, 1, 2]);
  });

  it.each(['mp4', 'flv', 'ts'] as const)('%s carries several tracks of sound', (container) => {
    const second = (track: number) => (track === 1 ? 3 : track);
    const events = clip.events.flatMap((event): MediaEvent[] =>
      event.type === 'config' && event.config.kind === 'audio'
        ? [event, { ...event, config: { ...event.config, track: second(event.config.track) } }]
        : [event],
    );
    const samples = clip.samples.flatMap((sample) =>
      sample.kind === 'audio' ? [sample, { ...sample, track: second(sample.track) }] : [sample],
    );
    const read = DEMUX[container](record(container, { events, samples })) as readonly MediaEvent[];
    const counts = new Map<number, number>();
    for (const event of read) {
      if (event.type === 'sample') counts.set(event.sample.track, (counts.get(event.sample.track) ?? 0) + 1);
    }
    const sounds = of(clip.samples, 'audio').length;
    expect([...counts.values()].sort()).toEqual([of(clip.samples, 'video').length, sounds, sounds].sort());
  });

  it('say what is said at a time, where the container has a place for it', () => {
    const data = writeId3([{ id: 'TXXX', description: 'scene', value: 'two' }]);
    const found = (['mp4', 'ts'] as const).map((container) => {
      const tracks = clip.events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []));
      const muxer = CONTAINER_FORMATS[container].open({ tracks, metadata: {}, seconds: 60 });
      const pieces: Buffer[] = [];
      for (const [at, sample] of clip.samples.entries()) {
        muxer.sample(sample);
        if (at % 20 === 19) pieces.push(muxer.take(false) ?? Buffer.alloc(0));
        if (at === 30) muxer.timedMetadata({ type: 'timed-metadata', kind: 'id3', at: sample.pts, data });
      }
      pieces.push(muxer.take(true) ?? Buffer.alloc(0));
      const bytes = Buffer.concat(pieces);
      const { at, bytes: room } = muxer.reserve ?? { at: 0, bytes: 0 };
      const file = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(room), bytes.subarray(at)]);
      expect(DEMUX[container](file).filter(({ type }) => type === 'sample')).toHaveLength(clip.samples.length);
      if (container === 'mp4') {
        const steps = scanMp4(file.length);
        let step = steps.next();
        while (step.done !== true) {
          step = steps.next(file.subarray(step.value.offset, step.value.offset + step.value.length));
        }
        expect(step.value.tracks.reduce((sum, { count }) => sum + count, 0)).toBe(clip.samples.length);
      }
      return file.includes(data);
    });
    expect(found).toEqual([true, true]);
  });

  it.each([
    [
      'vp9 and opus',
      ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus'],
      ['mp4', 'flv'],
    ],
    ['av1 and aac', ['-c:v', 'libsvtav1', '-preset', '12', '-c:a', 'aac'], ['mp4', 'flv']],
    ['h264 and mp3', ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'libmp3lame'], ['mp4', 'flv', 'ts']],
    ['hevc and opus', ['-c:v', 'libx265', '-preset', 'ultrafast', '-c:a', 'libopus'], ['mp4', 'flv', 'ts']],
  ] as const)('carry %s as far as the container does, and tell of the rest', async (_name, codecs, carriers) => {
    const other = await mp4Clip(codecs);
    const tracks = other.events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    const able = (['mp4', 'flv', 'ts'] as const).filter((container) =>
      tracks.every((config) => CONTAINER_FORMATS[container].refusalFor(config) === undefined),
    );
    expect(able).toEqual(carriers);
    for (const container of able) {
      const events = DEMUX[container](record(container, other)) as readonly MediaEvent[];
      const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
      for (const kind of ['video', 'audio'] as const) {
        expect([container, kind, of(samples, kind).length]).toEqual([container, kind, of(other.samples, kind).length]);
      }
    }
  });

  it('keep no more of what is said while there are neither pictures nor sound than can be written at once', () => {
    const tracks = clip.events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []));
    const muxer = CONTAINER_FORMATS.mp4.open({ tracks, metadata: {}, seconds: 60 });
    for (const sample of clip.samples.slice(0, 20)) muxer.sample(sample);
    muxer.take(true);
    const data = Buffer.alloc(1000);
    for (let at = 0; at < 20_000; at++) {
      muxer.timedMetadata({ type: 'timed-metadata', kind: 'id3', at: micros(SECOND + at), data });
      if (at % 100 === 0) expect(muxer.take(true)).toBeUndefined();
    }
    for (const sample of clip.samples.slice(20)) muxer.sample(sample);
    expect(muxer.take(true)?.length).toBeLessThan(3_000_000);
  });

  it('tells what a container cannot carry', () => {
    const av1 = av1TrackConfig(
      0,
      Buffer.from([0x81, 0, 0x0c, 0, 0x0a, 0x0b, 0, 0, 0, 0x2d, 0x4c, 0xff, 0xb3, 0xc0, 4, 8, 0]),
    );
    expect(CONTAINER_FORMATS.ts.refusalFor(av1)).toMatch(/av1/i);
    expect(CONTAINER_FORMATS.flv.refusalFor(av1)).toBeUndefined();
  });
});
