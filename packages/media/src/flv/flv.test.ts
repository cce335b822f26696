import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { buildHvcC, HEVC_NAL, hevcNalType } from '../codecs/hevc.js';
import { splitAnnexB } from '../codecs/nal.js';
import { MediaError } from '../errors.js';
import type { MediaEvent, Sample } from '../sample.js';
import type { TrackConfig } from '../track-config.js';
import { FlvDemuxer } from './demuxer.js';
import { FlvMuxer } from './muxer.js';
import { FlvSampleReader } from './sample-reader.js';
import { encodeFlvTag, FlvTagParser, flvFileHeader } from './tag.js';

const samplesOf = (events: readonly MediaEvent[]): Sample[] =>
  events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
const configsOf = (events: readonly MediaEvent[]): TrackConfig[] =>
  events.flatMap((event) => (event.type === 'config' ? [event.config] : []));

describe('FLV', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-flv-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (name: string, codecs: readonly string[]): Promise<string> => {
    const path = join(directory, name);
    await ffmpeg([...testPicture({ seconds: 2 }), ...testSound(2), ...codecs, '-f', 'flv', path]);
    return path;
  };
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];

  it.each([
    ['h264 and aac', [...x264, '-c:a', 'aac'], ['avc1.42c00c', 'mp4a.40.2']],
    ['h264 with B-frames', [...x264, '-bf', '3', '-c:a', 'aac'], ['avc1.4d400c', 'mp4a.40.2']],
    ['h264 and mp3', [...x264, '-c:a', 'libmp3lame', '-ar', '44100'], ['avc1.42c00c', 'mp3']],
    ['audio only', ['-map', '1:a', '-c:a', 'aac'], ['mp4a.40.2']],
  ])(
    'reads from ffmpeg what ffprobe lists, and writes it so that ffprobe lists the same: %s',
    async (_, codecs, names) => {
      const path = await make('made.flv', codecs);
      const events = new FlvDemuxer().push(await readFile(path));
      const samples = samplesOf(events);
      const configs = configsOf(events);
      expect(configs.map((config) => config.codecString)).toEqual(names);
      expect(samples.map(asProbed)).toEqual((await probe(path)).map(({ size: _size, ...rest }) => rest));

      const muxer = new FlvMuxer(configs);
      const copy = join(directory, 'copy.flv');
      await writeFile(copy, Buffer.concat([muxer.header(), ...samples.map((sample) => muxer.sample(sample))]));
      const [original, copied] = await Promise.all([ffprobe(path), ffprobe(copy)]);
      expect(copied.warnings).toBe('');
      expect(copied.packets.map(essence)).toEqual(original.packets.map(essence));
    },
  );

  const probe = async (path: string) => (await ffprobe(path)).packets.map(essence);
  const essence = (packet: Awaited<ReturnType<typeof ffprobe>>['packets'][number]) => ({
    kind: packet.codec_type,
    dts: Math.round(Number(packet.dts_time) * 1000),
    pts: Math.round(Number(packet.pts_time) * 1000),
    keyframe: packet.flags.startsWith('K'),
    size: Number(packet.size),
  });
  const asProbed = (sample: Sample) => ({
    kind: sample.kind,
    dts: sample.dts / 1000,
    pts: sample.pts / 1000,
    keyframe: sample.keyframe,
  });

  it('carries HEVC, AV1, VP9 and Opus by Enhanced RTMP, also on further tracks', async () => {
    const reader = new FlvSampleReader();
    const raw = join(directory, 'raw.hevc');
    await ffmpeg([...testPicture({ seconds: 1 }), '-c:v', 'libx265', '-x265-params', 'log-level=error', raw]);
    const units = splitAnnexB(await readFile(raw));
    const of = (type: number) => units.filter((unit) => hevcNalType(unit) === type).slice(0, 1);
    const hevc = buildHvcC(of(HEVC_NAL.vps), of(HEVC_NAL.sps), of(HEVC_NAL.pps));
    const start = Buffer.concat([Buffer.from([0x90]), Buffer.from('hvc1'), hevc]);
    const [event] = reader.read(9, 0, start);
    expect(event).toMatchObject({
      type: 'config',
      config: { codec: 'hevc', track: 0, width: 320, height: 180, codecString: 'hvc1.1.6.L60.90' },
    });
    const frame = Buffer.concat([
      Buffer.from([0x91]),
      Buffer.from('hvc1'),
      Buffer.from([0, 0, 40, 0, 0, 0, 2, 0x26, 1]),
    ]);
    expect(reader.read(9, 40, frame)).toMatchObject([
      { type: 'sample', sample: { dts: 40_000, pts: 80_000, keyframe: true } },
    ]);
    // ModEx with 500,000 ns, then a sequence start of Opus on audio track 1 of a multitrack message.
    const opusHead = Buffer.from('4f707573486561640102380180bb0000000000', 'hex');
    const multitrack = Buffer.concat([Buffer.from([0x95, 0x00]), Buffer.from('Opus'), Buffer.from([1]), opusHead]);
    expect(reader.read(8, 0, multitrack)).toMatchObject([{ type: 'config', config: { codec: 'opus', track: 3 } }]);
    const nano = Buffer.concat([
      Buffer.from([0x97, 2, 0x07, 0xa1, 0x20, 0x05, 0x01]),
      Buffer.from('Opus'),
      Buffer.from([1, 0xfc, 1, 2]),
    ]);
    expect(reader.read(8, 20, nano)).toMatchObject([{ type: 'sample', sample: { track: 3, dts: 20_500 } }]);
  });

  it('gives the same tags wherever the bytes are cut', () => {
    const bytes = Buffer.concat([
      flvFileHeader({ audio: true, video: true }),
      encodeFlvTag(9, 0x1234567, Buffer.from([1, 2, 3])),
      encodeFlvTag(8, 0xffff_fffe, Buffer.alloc(0)),
      encodeFlvTag(18, 7, Buffer.from('x'), Buffer.from('y')),
    ]);
    const whole = new FlvTagParser().push(bytes);
    expect(whole.map((tag) => [tag.type, tag.timestamp, tag.body.length])).toEqual([
      [9, 0x1234567, 3],
      [8, 0xffff_fffe, 0],
      [18, 7, 2],
    ]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parser = new FlvTagParser();
      expect([...parser.push(bytes.subarray(0, cut)), ...parser.push(bytes.subarray(cut))]).toEqual(whole);
    }
    const single = new FlvTagParser();
    expect([...bytes].flatMap((byte) => single.push(Buffer.from([byte])))).toEqual(whole);
  });

  it('goes on over the wrap of 32-bit timestamps', () => {
    const reader = new FlvSampleReader();
    reader.read(8, 0, Buffer.from([0xaf, 0, 0x11, 0x90]));
    const at = (timestamp: number) => samplesOf(reader.read(8, timestamp, Buffer.from([0xaf, 1, 1, 2])))[0]?.dts;
    expect(at(0xffff_fff0)).toBe(0xffff_fff0 * 1000);
    expect(at(0x10)).toBe((2 ** 32 + 0x10) * 1000);
  });

  it.each([
    ['a frame before its sequence header', 9, '1701000000000000026588', 'no-config'],
    ['an unknown fourcc', 9, '9078787878', 'unsupported'],
    ['Speex', 8, 'b200', 'unsupported'],
    ['a cut-off avcC', 9, '170000000001640028ffe100', 'truncated'],
    ['a multitrack size past the end', 9, '9611617663310000ffff00', 'truncated'],
  ] as const)('refuses %s', (_, type, hex, code) => {
    const read = () => new FlvSampleReader().read(type, 0, Buffer.from(hex, 'hex'));
    expect(read).toThrow(expect.objectContaining({ name: 'MediaError', code }));
  });

  it('throws nothing but MediaError, whatever the bytes', async () => {
    const path = await make('fuzz.flv', [...x264, '-c:a', 'aac']);
    const original = (await readFile(path)).subarray(0, 20_000);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (mutations) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of mutations) bytes[at] = value;
          try {
            new FlvDemuxer().push(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(MediaError);
          }
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.constantFrom(8, 9, 18), fc.uint8Array({ maxLength: 60 }), (type, body) => {
        try {
          new FlvSampleReader().read(type as 8 | 9 | 18, 0, Buffer.from(body));
        } catch (error) {
          expect(error).toBeInstanceOf(MediaError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
