import { findFfmpeg } from '@sluice/core';
import type { Sample, TrackConfig } from '@sluice/media';
import { afterEach, expect, test, vi } from 'vitest';
import { SoundTrack } from './sound-track.js';

const RATE = 48_000;
const FRAMES = 480;
const SECOND = 1_000_000;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function startTrack(ffmpeg = findFfmpeg(process.env) ?? 'ffmpeg') {
  const configs: TrackConfig[] = [];
  const samples: Sample[] = [];
  const troubles: string[] = [];
  const lost: string[] = [];
  const track = new SoundTrack({
    ffmpeg,
    track: 1,
    bitsPerSecond: 128_000,
    onConfig: (config) => configs.push(config),
    onSample: (sample) => samples.push(sample),
    onTrouble: (reason) => troubles.push(reason),
    onLost: (reason) => lost.push(reason),
    pauses: { firstMs: 50, longestMs: 500 },
  });
  closing.push(() => track.close());
  const write = (from: number, seconds: number, rate = RATE) => {
    for (let block = 0; block < seconds * 100; block++) {
      const pcm = Buffer.alloc(FRAMES * 8);
      for (let at = 0; at < FRAMES * 2; at++) pcm.writeFloatLE(Math.sin(at / 8) / 4, at * 4);
      track.write(from + Math.round((block * FRAMES * SECOND) / rate), rate, pcm);
    }
  };
  return { track, configs, samples, troubles, lost, write };
}

test('sound becomes AAC at its own times', async () => {
  const { configs, samples, write } = startTrack();
  write(5 * SECOND, 2);
  await vi.waitFor(() => expect(samples.length).toBeGreaterThan(85), 10_000);
  expect(configs).toMatchObject([{ kind: 'audio', codec: 'aac', sampleRate: RATE, channels: 2, track: 1 }]);
  // The first frame is what the encoder puts before the sound.
  expect(samples[0]).toMatchObject({ dts: 5 * SECOND - 21_333, keyframe: true, kind: 'audio' });
  expect(samples[48]?.dts).toBe(5 * SECOND + Math.round((47 * 1024 * SECOND) / RATE));
  expect(samples.every(({ data }) => data.length > 0 && data.readUInt16BE(0) !== 0xfff1)).toBe(true);
});

test('another rate is told, and its times go on', async () => {
  const { configs, samples, write } = startTrack();
  write(SECOND, 1);
  await vi.waitFor(() => expect(samples.length).toBeGreaterThan(30), 10_000);
  const before = samples.length;
  write(2 * SECOND, 1, 44_100);
  await vi.waitFor(() => expect(samples.length).toBeGreaterThan(before + 30), 10_000);
  expect(configs).toMatchObject([{ sampleRate: RATE }, { sampleRate: 44_100 }]);
  expect(samples.every(({ dts }, index) => index === 0 || dts > (samples[index - 1]?.dts ?? 0))).toBe(true);
});

test('an ffmpeg that is killed is begun anew with the next sound', async () => {
  const { track, samples, troubles, write } = startTrack();
  write(SECOND, 1);
  await vi.waitFor(() => expect(samples.length).toBeGreaterThan(30), 10_000);
  const pid = track.encoderPid;
  expect(pid).toBeDefined();
  process.kill(pid ?? 0, 'SIGKILL');
  await vi.waitFor(() => expect(troubles).toEqual(['ffmpeg ended with SIGKILL']), 10_000);
  const before = samples.length;
  write(4 * SECOND, 1);
  await vi.waitFor(() => expect(samples.length).toBeGreaterThan(before + 30), 10_000);
  expect(samples[before]?.dts).toBeGreaterThan(3.9 * SECOND);
});

test('an ffmpeg that is not there is told', async () => {
  const { troubles, write } = startTrack('/nowhere/ffmpeg');
  write(0, 0.01);
  await vi.waitFor(() => expect(troubles).toEqual([expect.stringContaining('ENOENT')]), 10_000);
});

test('an ffmpeg that only ever ends is not begun for ever, nor with each block of sound', async () => {
  const { troubles, lost, write } = startTrack('/bin/false');
  const began = performance.now();
  const timer = setInterval(() => write(Math.round(performance.now() * 1000), 0.01), 5);
  closing.push(() => clearInterval(timer));
  await vi.waitFor(() => expect(lost).toHaveLength(1), 10_000);
  // Pauses of 50, 100, 200 and 400 ms lie between them.
  expect(performance.now() - began).toBeGreaterThan(750);
  expect(troubles).toHaveLength(5);
});
