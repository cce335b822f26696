import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ffmpeg,
  ffprobe,
  type Probed,
  type ProbedPacket,
  testPicture,
  testSound,
} from '../../../../test/support/ffmpeg.js';
import { adtsHeader, parseAudioSpecificConfig } from '../codecs/aac.js';
import type { Sample } from '../sample.js';
import { micros, microsFromTicks90k, ticks90k, ticks90kFromMicros } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { TsDemuxer } from './demuxer.js';
import type { TsEvent } from './events.js';
import { TsMuxer } from './muxer.js';

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p'];
const X264_B = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '3', '-pix_fmt', 'yuv420p'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const x265 = (bframes: number) => [
  ...X265,
  '-x265-params',
  `log-level=error:keyint=25:min-keyint=25:bframes=${bframes}`,
];
const AAC = ['-c:a', 'aac'];
const CLOCK = 2 ** 33;

/** What ffprobe lists of each track: the first is video, if there is one. */
const kinds = ['video', 'audio'] as const;

function demux(bytes: Buffer) {
  const demuxer = new TsDemuxer();
  const events: TsEvent[] = [];
  for (let at = 0; at < bytes.length; at += 1316) events.push(...demuxer.push(bytes.subarray(at, at + 1316)));
  events.push(...demuxer.flush());
  return {
    events,
    samples: events.flatMap((event) => (event.type === 'sample' ? [event.sample] : [])),
    configs: events.flatMap((event) => (event.type === 'config' ? [event.config] : [])),
    stats: demuxer.stats,
  };
}

const CLEAN = {
  skippedBytes: 0,
  resyncs: 0,
  continuityErrors: 0,
  duplicates: 0,
  brokenSections: 0,
  clockDiscontinuities: 0,
  brokenUnits: 0,
};

/** Bytes of a sample in the elementary stream that our muxer makes of it, without what it adds to keyframes. */
function elementarySize(sample: Sample, config: TrackConfig): number {
  if (config.codec === 'aac') {
    return adtsHeader(parseAudioSpecificConfig(config.description), sample.data.length).length + sample.data.length;
  }
  const delimiter = config.codec === 'h264' ? 6 : config.codec === 'hevc' ? 7 : 0;
  return delimiter + sample.data.length;
}

describe('MPEG-TS and ffmpeg', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-mpegts-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (args: readonly string[]): Promise<string> => {
    const path = join(directory, 'made.mpegts');
    await ffmpeg([...testPicture({ seconds: 2 }), ...testSound(2), ...args, '-f', 'mpegts', path]);
    return path;
  };
  const probe = (path: string) => ffprobe(path, ['-f', 'mpegts']);

  /** Expects what was read to be what ffprobe lists, but for `offset` ticks. */
  function expectListed(samples: readonly Sample[], probed: Probed, offset = 0): void {
    for (const kind of kinds) {
      const listed = probed.packets.filter((packet) => packet.codec_type === kind);
      const read = samples.filter((sample) => sample.kind === kind);
      expect(read.length).toBe(listed.length);
      for (const [index, sample] of read.entries()) {
        const packet = listed[index]!;
        expectNear(sample.pts, packet.pts_time, offset);
        expectNear(sample.dts, packet.dts_time, offset);
        expect(packet.flags.startsWith('K')).toBe(sample.keyframe);
      }
    }
  }

  /** ffprobe cuts times to µs, and rounds the times of frames that share a PES packet: one tick either way. */
  function expectNear(time: number, listed: string | undefined, offset: number): void {
    const wanted = Math.round(Number(listed) * 90_000) + offset;
    expect(Math.abs(ticks90kFromMicros(micros(time)) - wanted)).toBeLessThanOrEqual(1);
  }

  it.each<[string, readonly string[]]>([
    ['H.264 and AAC', [...X264, ...AAC]],
    ['H.264 with B-frames', [...X264_B, ...AAC]],
    ['one AAC frame in each PES packet', [...X264_B, ...AAC, '-pes_payload_size', '0']],
    ['many AAC frames in each PES packet', [...X264, ...AAC, '-pes_payload_size', '16000']],
    ['PES packets of video with their length', [...X264_B, ...AAC, '-omit_video_pes_length', '0']],
    ['tables before each frame', [...X264, ...AAC, '-mpegts_flags', '+resend_headers+pat_pmt_at_frames']],
    ['first packets marked as discontinuous', [...X264, ...AAC, '-mpegts_flags', '+initial_discontinuity']],
    ['DVB tables', [...X264, ...AAC, '-mpegts_flags', '+system_b+nit', '-tables_version', '17']],
    ['a constant rate with null packets', [...X264, ...AAC, '-muxrate', '3M', '-pcr_period', '30']],
    ['other PIDs and programme', [...X264, ...AAC, '-mpegts_start_pid', '500', '-mpegts_service_id', '900']],
    ['HEVC and AAC', [...x265(0), ...AAC]],
    ['HEVC with B-frames', [...x265(3), ...AAC]],
    ['MP3', [...X264, '-c:a', 'libmp3lame', '-ar', '44100']],
    ['MP3 at 22.05 kHz, mono', [...X264, '-c:a', 'libmp3lame', '-ar', '22050', '-ac', '1']],
    ['Opus', [...X264, '-c:a', 'libopus']],
    ['Opus in stereo, 10 ms', [...X264, '-c:a', 'libopus', '-ac', '2', '-frame_duration', '10']],
    ['AAC alone', ['-map', '1:a', ...AAC]],
    ['AAC at 44.1 kHz with 5.1 channels', ['-map', '1:a', ...AAC, '-ar', '44100', '-ac', '6']],
    ['H.264 alone', ['-map', '0:v', ...X264_B]],
  ])('reads what ffmpeg writes, and writes what ffprobe reads, to the sample: %s', async (_, args) => {
    const path = await make(args);
    const { samples, configs, stats } = demux(await readFile(path));
    const probed = await probe(path);
    expect(stats).toMatchObject(CLEAN);
    expectListed(samples, probed);

    const muxer = new TsMuxer(configs);
    const copy = join(directory, 'copy.mpegts');
    await writeFile(copy, Buffer.concat([muxer.tables(), ...samples.map((sample) => muxer.sample(sample))]));
    const copied = await probe(copy);
    expect(copied.warnings).toBe('');
    const described = (list: Probed) =>
      list.streams
        .map((s) => [s.codec_type, s.codec_name, s.profile, s.width, s.height, s.sample_rate, s.channels])
        .sort();
    expect(described(copied)).toEqual(described(probed));
    const delay = 63_000;
    expectListed(samples, copied, -delay);
    for (const config of configs) expectSizes(samples, config, copied.packets);
  });

  /** Where ffprobe cuts access units must be where they were put. */
  function expectSizes(samples: readonly Sample[], config: TrackConfig, packets: readonly ProbedPacket[]): void {
    const listed = packets.filter((packet) => packet.codec_type === config.kind);
    const own = samples.filter((sample) => sample.track === config.track);
    for (const [index, sample] of own.entries()) {
      const size = Number(listed[index]?.size);
      // ffprobe gives the first zero of an HEVC unit's start code to the one before.
      const isLastHevc = config.codec === 'hevc' && index === own.length - 1;
      const expected = elementarySize(sample, config) - (isLastHevc ? 1 : 0);
      if (config.kind === 'video' && sample.keyframe) expect(size).toBeGreaterThan(expected);
      else expect(size).toBe(expected);
    }
  }

  it('writes over the wrap of the clock what ffprobe reads without a jump', async () => {
    const { samples, configs } = demux(await readFile(await make([...X264_B, ...AAC])));
    const shift = microsFromTicks90k(ticks90k(CLOCK - 90_000 - 63_000));
    const start = Math.min(...samples.map((sample) => sample.dts));
    const later = samples.map((s) => ({
      ...s,
      dts: micros(s.dts - start + shift),
      pts: micros(s.pts - start + shift),
    }));
    const muxer = new TsMuxer(configs);
    const path = join(directory, 'wrap.mpegts');
    await writeFile(path, Buffer.concat([muxer.tables(), ...later.map((sample) => muxer.sample(sample))]));
    const probed = await probe(path);
    expect(probed.warnings).toBe('');
    // ffprobe counts from before the wrap: times there are negative.
    const first = Math.round(Number(probed.packets.find((p) => p.codec_type === 'video')?.dts_time) * 90_000);
    const ours = ticks90kFromMicros(later.find((sample) => sample.kind === 'video')!.dts);
    expectListed(later, probed, ours - first);
    expect(demux(await readFile(path)).samples.length).toBe(later.length);
  });

  it('reads over the wrap of the clock what ffmpeg writes', async () => {
    // ffmpeg begins 1.4 s later than it is told.
    const offset = (CLOCK - 90_000 - 126_000) / 90_000;
    const path = await make([...X264_B, ...AAC, '-output_ts_offset', String(offset)]);
    const { samples, stats } = demux(await readFile(path));
    expect(stats).toMatchObject(CLEAN);
    for (const [kind, step] of [
      ['video', 40_000],
      ['audio', 21_333],
    ] as const) {
      const times = samples.filter((sample) => sample.kind === kind).map((sample) => sample.dts);
      expect(times[0]!).toBeLessThan(microsFromTicks90k(ticks90k(CLOCK)));
      expect(times.at(-1)!).toBeGreaterThan(microsFromTicks90k(ticks90k(CLOCK)));
      for (let i = 1; i < times.length; i++) expect(Math.abs(times[i]! - times[i - 1]! - step)).toBeLessThan(25);
    }
  });

  it('gives pictures and sound that ffmpeg decodes without a word', async () => {
    const { samples, configs } = demux(await readFile(await make([...X264_B, ...AAC])));
    const muxer = new TsMuxer(configs);
    const path = join(directory, 'decoded.mpegts');
    await writeFile(path, Buffer.concat([muxer.tables(), ...samples.map((sample) => muxer.sample(sample))]));
    // `-xerror` makes ffmpeg fail on the first thing that it can't decode.
    await ffmpeg(['-xerror', '-err_detect', 'explode', '-i', path, '-f', 'null', '-']);
  });

  it('tells a change of resolution in a stream by a new configuration', async () => {
    const small = await readFile(await make(['-map', '0:v', ...X264]));
    const large = await readFile(await make(['-map', '0:v', ...X264, '-s', '640x360']));
    const { configs, samples, stats } = demux(Buffer.concat([small, large]));
    expect(configs.map((config) => config.kind === 'video' && config.width)).toEqual([320, 640]);
    // The counters begin anew, so that nobody can tell whether the last picture before is whole.
    expect(samples.length).toBe(99);
    expect(stats.brokenUnits).toBe(0);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['AC-3', ['-c:a', 'ac3'], /AC-3 audio/],
    ['LATM', [...AAC, '-mpegts_flags', '+latm'], /AAC in LATM; send it in ADTS/],
    ['MP2, which ffmpeg takes where it is not told', ['-c:a', 'mp2'], /MPEG audio layer 2; send AAC or MP3/],
    ['Opus in 5.1', ['-c:a', 'libopus', '-ac', '6'], /Opus with channel layout/],
  ])('says why it leaves out sound, once, and keeps the picture: %s', async (_, args, reason) => {
    const { events, samples } = demux(await readFile(await make([...X264, ...args])));
    const told = events.filter((event) => event.type === 'unsupported-track');
    expect(told).toMatchObject([{ pid: 0x101, reason: expect.stringMatching(reason) }]);
    expect(samples.map((sample) => sample.kind)).toEqual(Array(50).fill('video'));
  });
});
