import { spawnSync } from 'node:child_process';
import { FlvDemuxer, micros, opusPacketDuration, type Sample, type TrackConfig } from '@sluice/media';
import { afterEach, describe, expect, it } from 'vitest';
import { findFfmpeg } from './ffmpeg-path.js';
import { type ConvertedCodec, type ConvertedEvent, TrackConverter } from './track-converter.js';

const SECONDS = 2;
const FLV = ['-f', 'flv', '-flvflags', 'no_duration_filesize', '-'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100', '-t', String(SECONDS), '-c:a', 'aac'];
const PICTURE = [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-t', String(SECONDS), '-pix_fmt', 'yuv420p'],
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '20', '-sc_threshold', '0'],
];

interface Track {
  readonly config: TrackConfig;
  readonly samples: Sample[];
}

/** Two seconds of a track. */
function made(coding: readonly string[]): Track {
  const { stdout } = spawnSync('ffmpeg', ['-v', 'error', ...coding, ...FLV], { maxBuffer: 1 << 24 });
  const events = new FlvDemuxer().push(stdout);
  const config = events.flatMap((event) => (event.type === 'config' ? [event.config] : []))[0];
  if (config === undefined) throw new Error('nothing was made');
  return { config, samples: events.flatMap((event) => (event.type === 'sample' ? [event.sample] : [])) };
}

describe('TrackConverter', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  function converter(ffmpeg: string, config: TrackConfig, to: ConvertedCodec) {
    const events: ConvertedEvent[] = [];
    const warned: object[] = [];
    const log = { debug: () => {}, info: () => {}, warn: (fields: object) => warned.push(fields), error: () => {} };
    const emit = (event: ConvertedEvent) => events.push(event);
    const converting = new TrackConverter({ ffmpeg, config, to, emit, log, path: 'live/show' });
    closing.push(() => converting.close());
    const samples = () => events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    const configs = () => events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    return { converting, samples, configs, warned };
  }

  const later = (sample: Sample, origin: number): Sample => {
    return { ...sample, dts: micros(sample.dts + origin), pts: micros(sample.pts + origin) };
  };

  it.each([0, 26 * 3_600_000_000])('makes Opus of AAC, with the times that it had, from %i µs on', async (origin) => {
    const { config, samples } = made(SOUND);
    const { converting, samples: got } = converter(findFfmpeg(process.env) ?? '', config, 'opus');
    for (const sample of samples) converting.write(later(sample, origin));
    await expect.poll(() => got().length, { timeout: 5000 }).toBeGreaterThan((SECONDS * 1000) / 20 - 15);
    expect(Math.abs((got()[0]?.pts ?? 0) - origin)).toBeLessThan(60_000);
    for (const [at, { pts, data }] of got().slice(1).entries()) {
      expect(opusPacketDuration(data)).toBe(20_000);
      expect(Math.abs(pts - (got()[at]?.pts ?? 0) - 20_000)).toBeLessThan(1500);
    }
  });

  it('makes AAC of Opus, whose configuration comes first', async () => {
    const { config, samples } = made(SOUND);
    const opus = converter(findFfmpeg(process.env) ?? '', config, 'opus');
    for (const sample of samples) opus.converting.write(sample);
    await expect.poll(() => opus.samples().length, { timeout: 5000 }).toBeGreaterThan(80);
    const [opusConfig] = opus.configs();
    if (opusConfig === undefined) throw new Error('Opus without a configuration');
    const aac = converter(findFfmpeg(process.env) ?? '', opusConfig, 'aac');
    for (const sample of opus.samples()) aac.converting.write(sample);
    await expect.poll(() => aac.samples().length, { timeout: 5000 }).toBeGreaterThan(60);
    expect(aac.configs()).toMatchObject([{ codec: 'aac', sampleRate: 48_000, channels: 2, track: config.track }]);
    expect(Math.abs((aac.samples()[0]?.pts ?? 0) - (samples[0]?.pts ?? 0))).toBeLessThan(100_000);
  });

  it('makes H.264 without B-frames, with the keyframes where they were', async () => {
    const { config, samples } = made(PICTURE);
    expect(samples.some(({ pts, dts }) => pts !== dts)).toBe(true);
    const { converting, samples: got } = converter(findFfmpeg(process.env) ?? '', config, 'h264');
    for (const sample of samples) converting.write(sample);
    await expect.poll(() => got().length, { timeout: 10_000 }).toBeGreaterThan(35);
    expect(got().every(({ pts, dts }) => pts === dts)).toBe(true);
    const keyframes = (all: readonly Sample[]) => all.filter(({ keyframe }) => keyframe).map(({ pts }) => pts);
    for (const [at, pts] of keyframes(got()).entries()) {
      expect(Math.abs(pts - (keyframes(samples)[at] ?? 0))).toBeLessThan(1000);
    }
    expect(keyframes(got()).length).toBeGreaterThan(1);
  });

  it('says why it has ended, and waits before it tries again', async () => {
    const { config, samples } = made(SOUND);
    const { converting, warned } = converter('/bin/false', config, 'opus');
    for (const sample of samples.slice(0, 3)) converting.write(sample);
    await expect.poll(() => warned.length).toBe(1);
    expect(warned[0]).toMatchObject({ path: 'live/show', reason: 'ffmpeg ended with 1', retryMs: 1000 });
    for (const sample of samples.slice(3, 10)) converting.write(sample);
    expect(warned).toHaveLength(1);
  });
});

describe('findFfmpeg', () => {
  it('takes the one that is named, or the first on the path', () => {
    expect(findFfmpeg({ FFMPEG_PATH: '/bin/true', PATH: '' })).toBe('/bin/true');
    expect(findFfmpeg({ FFMPEG_PATH: '/no/such/file', PATH: '/usr/bin' })).toBeUndefined();
    expect(findFfmpeg({ PATH: '/nowhere:/usr/bin' })).toMatch(/\/ffmpeg$/);
    expect(findFfmpeg({})).toBeUndefined();
  });
});
