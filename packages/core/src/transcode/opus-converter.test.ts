import { spawnSync } from 'node:child_process';
import { type AudioTrackConfig, FlvDemuxer, type Micros, micros, opusPacketDuration, type Sample } from '@sluice/media';
import { afterEach, describe, expect, it } from 'vitest';
import { findFfmpeg } from './ffmpeg-path.js';
import { OpusConverter } from './opus-converter.js';

const SECONDS = 2;
const FLV = ['-c:a', 'aac', '-f', 'flv', '-flvflags', 'no_duration_filesize', '-'];

/** Two seconds of a tone, as AAC. */
function tone(): { config: AudioTrackConfig; samples: Sample[] } {
  const source = ['-v', 'error', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100', '-t', String(SECONDS)];
  const { stdout } = spawnSync('ffmpeg', [...source, ...FLV], { maxBuffer: 1 << 24 });
  const events = new FlvDemuxer().push(stdout);
  const config = events.flatMap((event) => (event.type === 'config' ? [event.config] : []))[0];
  if (config?.kind !== 'audio') throw new Error('no sound');
  return { config, samples: events.flatMap((event) => (event.type === 'sample' ? [event.sample] : [])) };
}

describe('OpusConverter', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  function converter(ffmpeg: string, config: AudioTrackConfig) {
    const got: { packet: Buffer; pts: Micros }[] = [];
    const warned: object[] = [];
    const log = { debug: () => {}, info: () => {}, warn: (fields: object) => warned.push(fields), error: () => {} };
    const emit = (packet: Buffer, pts: Micros) => got.push({ packet, pts });
    const made = new OpusConverter({ ffmpeg, config, emit, log, path: 'live/show' });
    closing.push(() => made.close());
    return { made, got, warned };
  }

  it.each([0, 26 * 3_600_000_000])('keeps the times of the sound, from %i µs on', async (origin) => {
    const { config, samples } = tone();
    const ffmpeg = findFfmpeg(process.env) ?? '';
    const { made, got } = converter(ffmpeg, config);
    for (const sample of samples) {
      made.write({ ...sample, dts: micros(sample.dts + origin), pts: micros(sample.pts + origin) });
    }
    await expect.poll(() => got.length, { timeout: 5000 }).toBeGreaterThan((SECONDS * 1000) / 20 - 15);
    expect(Math.abs((got[0]?.pts ?? 0) - origin)).toBeLessThan(60_000);
    for (const [at, { pts, packet }] of got.slice(1).entries()) {
      expect(opusPacketDuration(packet)).toBe(20_000);
      expect(Math.abs(pts - (got[at]?.pts ?? 0) - 20_000)).toBeLessThan(1500);
    }
  });

  it('says why it has ended, and waits before it tries again', async () => {
    const { config, samples } = tone();
    const { made, warned } = converter('/bin/false', config);
    for (const sample of samples.slice(0, 3)) made.write(sample);
    await expect.poll(() => warned.length).toBe(1);
    expect(warned[0]).toMatchObject({ path: 'live/show', reason: 'ffmpeg ended with 1', retryMs: 1000 });
    for (const sample of samples.slice(3, 10)) made.write(sample);
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
