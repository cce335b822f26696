import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import type { Sample } from '../sample.js';
import { micros, microsFromTicks90k, ticks90k, ticks90kFromMicros } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { crc32Mpeg } from './crc32.js';
import { TsDemuxer, type TsEvent } from './demuxer.js';
import { TsMuxer } from './muxer.js';

const samplesOf = (events: readonly TsEvent[]): Sample[] =>
  events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
const configsOf = (events: readonly TsEvent[]): TrackConfig[] =>
  events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
const demux = (bytes: Buffer) => {
  const demuxer = new TsDemuxer();
  const events = [...demuxer.push(bytes), ...demuxer.flush()];
  return { events, samples: samplesOf(events), configs: configsOf(events), stats: demuxer.stats };
};

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=25'];

describe('MPEG-TS', () => {
  let directory: string;
  let reference: Buffer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-mpegts-'));
    reference = await readFile(await make('reference.mpegts', [...X264, '-bf', '2', '-c:a', 'aac']));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (name: string, codecs: readonly string[]): Promise<string> => {
    const path = join(directory, name);
    await ffmpeg([...testPicture({ seconds: 2 }), ...testSound(2), ...codecs, '-f', 'mpegts', path]);
    return path;
  };
  const ticks = (seconds: string | undefined) => Math.round(Number(seconds) * 90_000);

  it.each([
    ['H.264 and AAC', [...X264, '-c:a', 'aac']],
    ['H.264 with B-frames, one AAC frame a packet', [...X264, '-bf', '3', '-c:a', 'aac', '-pes_payload_size', '0']],
    ['HEVC and AAC', [...X265, '-c:a', 'aac']],
    ['H.264 and MP3', [...X264, '-c:a', 'libmp3lame', '-ar', '44100']],
    ['H.264 and Opus', [...X264, '-c:a', 'libopus']],
    ['AAC alone', ['-map', '1:a', '-c:a', 'aac', '-pat_period', '0.2']],
  ])('reads from ffmpeg what ffprobe lists, and writes it so that ffprobe lists the same: %s', async (_, codecs) => {
    const path = await make('made.mpegts', codecs);
    const { samples, configs, stats } = demux(await readFile(path));
    const probed = await ffprobe(path);
    expect(stats).toMatchObject({ continuityErrors: 0, resyncs: 0, brokenUnits: 0, brokenSections: 0 });
    for (const kind of ['video', 'audio'] as const) {
      const listed = probed.packets.filter((packet) => packet.codec_type === kind);
      const read = samples.filter((sample) => sample.kind === kind);
      expect(read.map((s) => [near(ticks90kFromMicros(s.pts)), near(ticks90kFromMicros(s.dts)), s.keyframe])).toEqual(
        listed.map((p) => [near(ticks(p.pts_time)), near(ticks(p.dts_time)), p.flags.startsWith('K')]),
      );
    }
    const muxer = new TsMuxer(configs);
    const copy = join(directory, 'copy.mpegts');
    await writeFile(copy, Buffer.concat([muxer.tables(), ...samples.map((sample) => muxer.sample(sample))]));
    const copied = await ffprobe(copy);
    expect(copied.warnings).toBe('');
    expect(copied.streams.map((s) => [s.codec_name, s.width, s.sample_rate, s.channels])).toEqual(
      probed.streams.map((s) => [s.codec_name, s.width, s.sample_rate, s.channels]),
    );
    const start = (list: typeof copied) => {
      const first = list.packets.find((p) => p.codec_type === 'video') ?? list.packets[0];
      return ticks(first?.dts_time);
    };
    const shift = start(copied) - start(probed);
    const listing = (list: typeof copied, by: number) =>
      list.packets
        .map((p) => [p.codec_type, near(ticks(p.pts_time) - by), near(ticks(p.dts_time) - by), p.flags.slice(0, 1)])
        .sort();
    expect(listing(copied, shift)).toEqual(listing(probed, 0));
  });

  /** ffprobe prints µs, and a frame's duration in ticks is no whole number: one tick either way. */
  const near = (value: number) => Math.round(value / 4);

  it('reads its own writing to the bit', () => {
    const { samples, configs } = demux(reference);
    const muxer = new TsMuxer(configs);
    const again = demux(Buffer.concat([muxer.tables(), ...samples.map((sample) => muxer.sample(sample))]));
    expect(again.configs).toEqual(configs);
    for (const kind of ['video', 'audio'] as const) {
      const of = (list: readonly Sample[]) => list.filter((s) => s.kind === kind);
      expect(of(again.samples).map((s) => s.data)).toEqual(of(samples).map((s) => s.data));
    }
    expect(again.stats.continuityErrors).toBe(0);
  });

  it('gives the same events wherever the bytes are cut', () => {
    const bytes = reference.subarray(0, 188 * 400);
    const whole = new TsDemuxer().push(bytes);
    expect(whole.length).toBeGreaterThan(5);
    for (const size of [1, 7, 187, 188, 189, 1316]) {
      const demuxer = new TsDemuxer();
      const events: TsEvent[] = [];
      for (let at = 0; at < bytes.length; at += size) events.push(...demuxer.push(bytes.subarray(at, at + size)));
      expect(events).toEqual(whole);
    }
  });

  it('goes on over the wrap of 33-bit times, writing and reading', () => {
    const { samples, configs } = demux(reference);
    const muxer = new TsMuxer(configs);
    const shift = microsFromTicks90k(ticks90k(2 ** 33 - 90_000));
    const moved = samples.map((s) => ({ ...s, dts: micros(s.dts + shift), pts: micros(s.pts + shift) }));
    const again = demux(Buffer.concat([muxer.tables(), ...moved.map((sample) => muxer.sample(sample))]));
    const video = again.samples.filter((s) => s.kind === 'video');
    expect(video.length).toBe(samples.filter((s) => s.kind === 'video').length);
    for (let i = 1; i < video.length; i++) expect(video[i]!.dts - video[i - 1]!.dts).toBe(40_000);
    expect(again.stats.clockDiscontinuities).toBe(0);
  });

  it('finds its way back after garbage and lost packets, and says so', () => {
    const cut = 188 * 40;
    const lossy = Buffer.concat([reference.subarray(0, cut), reference.subarray(cut + 188 * 3)]);
    const lost = demux(lossy);
    expect(lost.stats.continuityErrors).toBeGreaterThan(0);
    expect(lost.events.some((event) => event.type === 'discontinuity')).toBe(true);
    const dirty = demux(
      Buffer.concat([Buffer.alloc(100, 1), reference.subarray(0, cut), Buffer.alloc(55, 2), reference.subarray(cut)]),
    );
    expect(dirty.stats.resyncs).toBeGreaterThan(0);
    expect(dirty.samples.length).toBeGreaterThan(50);
    const doubled = demux(Buffer.concat([reference.subarray(0, cut), reference.subarray(cut - 188)]));
    expect(doubled.stats.duplicates).toBe(1);
  });

  it('names what it can not carry', async () => {
    const path = await make('ac3.mpegts', [...X264, '-c:a', 'ac3']);
    const { events } = demux(await readFile(path));
    expect(events).toContainEqual(expect.objectContaining({ type: 'unsupported-track', reason: 'AC-3 audio' }));
    expect(() => new TsMuxer([{ ...demux(reference).configs[0]!, codec: 'vp9' } as TrackConfig])).toThrow(
      /vp9 in MPEG-TS/,
    );
  });

  it('checks sections as the standard does', () => {
    expect(crc32Mpeg(Buffer.from('123456789'))).toBe(0x0376e6e7);
  });

  it('never throws, whatever the bytes', () => {
    const original = reference.subarray(0, 188 * 100);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 }),
        (mutations) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of mutations) bytes[at] = value;
          demux(bytes);
        },
      ),
      { numRuns: 200 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => void demux(Buffer.from(bytes))));
  });
});
