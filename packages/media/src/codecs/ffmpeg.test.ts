import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { FlvMuxer } from '../flv/muxer.js';
import { micros } from '../time.js';
import {
  aacTrackConfig,
  adtsHeader,
  buildAudioSpecificConfig,
  parseAdtsHeader,
  parseAudioSpecificConfig,
} from './aac.js';
import { AV1_OBU, av1TrackConfig, buildAv1C, parseAv1C, splitObus, stripTemporalDelimiters } from './av1.js';
import { buildAvcC, H264_NAL, h264NalType, h264TrackConfig, isH264Keyframe, parseAvcC } from './h264.js';
import { buildHvcC, HEVC_NAL, hevcNalType, hevcTrackConfig, isHevcKeyframe, parseHvcC } from './hevc.js';
import { mp3TrackConfig, parseMp3FrameHeader } from './mp3.js';
import { joinAnnexB, splitAnnexB } from './nal.js';
import { opusPacketDuration, opusTrackConfig, parseOpusHead } from './opus.js';
import { vp8TrackConfig } from './vp8.js';
import { parseVp9FrameHeader, vp9KeyframeConfig, vp9TrackConfig } from './vp9.js';

/** The payload of the first box of a type in an MP4 file, by its name alone. */
function box(file: Buffer, type: string): Buffer {
  const at = file.indexOf(type, 0, 'latin1');
  if (at < 0) throw new Error(`no ${type} in the file`);
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}

describe('codec configurations, against the files that ffmpeg writes', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-codecs-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const make = async (name: string, args: readonly string[]): Promise<Buffer> => {
    const path = join(directory, name);
    await ffmpeg([...args, path]);
    return readFile(path);
  };
  const picture = (size = '320x180') => testPicture({ seconds: 1, size });

  it.each([
    ['baseline', '320x180', 'avc1.42c00c', 'Baseline'],
    ['main', '642x358', 'avc1.4d401e', 'Main'],
    ['high', '1280x720', 'avc1.64001f', 'High'],
    ['high10', '1920x1080', 'avc1.6e0028', 'High 10'],
    ['high444', '322x182', 'avc1.f4000d', 'High 4:4:4 Predictive'],
  ])('H.264 %s', async (profile, size, codecString, name) => {
    const formats: Record<string, string> = { high10: 'yuv420p10le', high444: 'yuv444p' };
    const pixels = ['-pix_fmt', formats[profile] ?? 'yuv420p'];
    const encode = ['-c:v', 'libx264', '-profile:v', profile, '-preset', 'veryfast', ...pixels];
    const mp4 = await make(`${profile}.mp4`, [...testPicture({ seconds: 0.2, size }), ...encode]);
    const avcC = box(mp4, 'avcC');
    const [width, height] = size.split('x').map(Number);
    expect(h264TrackConfig(0, avcC)).toMatchObject({ codecString, profile: name, width, height, frameRate: 25 });
    const { sps, pps } = parseAvcC(avcC);
    expect(parseAvcC(buildAvcC(sps, pps))).toEqual(parseAvcC(avcC));
    expect(buildAvcC(sps, pps).equals(avcC)).toBe(true);
  });

  it('H.264 interlaced, with its field pairs and cropping', async () => {
    const encode = ['-c:v', 'libx264', '-flags', '+ilme+ildct', '-x264-params', 'interlaced=1'];
    const mp4 = await make('interlaced.mp4', [...picture('720x484'), ...encode]);
    expect(h264TrackConfig(0, box(mp4, 'avcC'))).toMatchObject({ width: 720, height: 484 });
  });

  it('H.264 NAL units and keyframes', async () => {
    const raw = await make('raw.h264', [
      ...picture(),
      '-c:v',
      'libx264',
      '-g',
      '10',
      '-bf',
      '0',
      '-x264-params',
      'aud=1',
    ]);
    const units = splitAnnexB(raw);
    expect(units.filter((unit) => h264NalType(unit) === H264_NAL.aud)).toHaveLength(25);
    expect(units.filter((unit) => isH264Keyframe([unit]))).toHaveLength(3);
    expect(splitAnnexB(joinAnnexB(units))).toEqual(units);
  });

  it.each([
    ['main', 'yuv420p', 'hvc1.1.6.L60.90', 'Main'],
    ['main10', 'yuv420p10le', 'hvc1.2.4.L60.90', 'Main 10'],
  ])('HEVC %s', async (profile, pixels, codecString, name) => {
    const params = ['-x265-params', 'log-level=error:keyint=10:min-keyint=10:bframes=0:scenecut=0'];
    const encode = ['-c:v', 'libx265', '-preset', 'ultrafast', '-profile:v', profile, '-pix_fmt', pixels, ...params];
    const mp4 = await make(`${profile}-hevc.mp4`, [...picture(), ...encode, '-tag:v', 'hvc1']);
    const hvcC = box(mp4, 'hvcC');
    expect(hevcTrackConfig(0, hvcC)).toMatchObject({
      codecString,
      profile: name,
      width: 320,
      height: 180,
      frameRate: 25,
    });
    const raw = splitAnnexB(await make(`${profile}.hevc`, [...picture(), ...encode]));
    const of = (type: number) => raw.filter((unit) => hevcNalType(unit) === type).slice(0, 1);
    const built = buildHvcC(of(HEVC_NAL.vps), of(HEVC_NAL.sps), of(HEVC_NAL.pps));
    expect(parseHvcC(built)).toEqual(parseHvcC(hvcC));
    // Profile, tier, level and formats: what stands before the arrays, less what is known by guess only.
    expect(built.subarray(0, 13)).toEqual(hvcC.subarray(0, 13));
    expect(built.subarray(16, 19)).toEqual(hvcC.subarray(16, 19));
    expect(raw.filter((unit) => isHevcKeyframe([unit]))).toHaveLength(3);
  });

  it('AV1', async () => {
    const encode = ['-c:v', 'libaom-av1', '-cpu-used', '8', '-row-mt', '1'];
    const mp4 = await make('av1.mp4', [...testPicture({ seconds: 1, rate: 5 }), ...encode]);
    const av1C = box(mp4, 'av1C');
    expect(av1TrackConfig(0, av1C)).toMatchObject({
      codecString: 'av01.0.00M.08',
      width: 320,
      height: 180,
      profile: 'Main',
    });
    const header = splitObus(parseAv1C(av1C).configObus).find((obu) => obu.type === AV1_OBU.sequenceHeader);
    expect(buildAv1C(header?.bytes ?? Buffer.alloc(0))).toEqual(
      Buffer.concat([av1C.subarray(0, 4), header?.bytes ?? Buffer.alloc(0)]),
    );
    const delimited = Buffer.concat([Buffer.from([0x12, 0]), header?.bytes ?? Buffer.alloc(0)]);
    expect(stripTemporalDelimiters(delimited)).toEqual(header?.bytes);
  });

  it('VP9', async () => {
    const encode = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'];
    const mp4 = await make('vp9.mp4', [...testPicture({ seconds: 1, rate: 5 }), ...encode]);
    expect(vp9TrackConfig(0, box(mp4, 'vpcC'))).toMatchObject({ codecString: 'vp09.00.11.08', profile: 'Profile 0' });
    const ivf = await make('vp9.ivf', [...testPicture({ seconds: 1, rate: 5 }), ...encode]);
    const first = ivf.subarray(32 + 12, 32 + 12 + ivf.readUInt32LE(32));
    const size = { width: 320, height: 180 };
    expect(parseVp9FrameHeader(first)).toMatchObject({ keyframe: true, size });
    // The level is told by the picture's size alone, and so may be lower than with its rate.
    const { codecString, description } = vp9KeyframeConfig(0, first);
    expect(codecString).toBe('vp09.00.11.08');
    expect(description.subarray(0, 7)).toEqual(box(mp4, 'vpcC').subarray(0, 7));
  });

  it('VP8', async () => {
    const encode = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'];
    const ivf = await make('vp8.ivf', [...testPicture({ seconds: 1, rate: 5 }), ...encode]);
    const first = ivf.subarray(32 + 12, 32 + 12 + ivf.readUInt32LE(32));
    expect(vp8TrackConfig(0, first)).toMatchObject({ codec: 'vp8', width: 320, height: 180 });
  });

  it('AAC, in ADTS', async () => {
    const adts = await make('sound.aac', [...testSound(1), '-c:a', 'aac', '-ac', '2']);
    const header = parseAdtsHeader(adts);
    expect(header).toMatchObject({ objectType: 2, sampleRate: 48_000, channelConfiguration: 2, headerLength: 7 });
    const asc = buildAudioSpecificConfig({ objectType: 2, sampleRate: 48_000, channelConfiguration: 2 });
    expect(asc.toString('hex')).toBe('1190');
    const length = (header?.frameLength ?? 0) - 7;
    const again = adtsHeader(parseAudioSpecificConfig(asc), length);
    expect(parseAdtsHeader(again)).toEqual(header);
    let frames = 0;
    for (let at = 0; at < adts.length; frames++) at += parseAdtsHeader(adts, at)?.frameLength ?? adts.length;
    expect(frames).toBe(48);
  });

  it.each([
    ['1190', ''],
    ['119056e500', ''],
    ['138856e500', ''],
    ['139056e5a0', ''],
    ['138856e5a54880', ''],
    ['2b920800', ''],
    ['eb8a0800', ''],
    ['11b8', '7.1(wide)'],
    ['118004c4040021100d4c61766335392e33372e31303056e500', 'quad'],
  ])('AudioSpecificConfig %s over frames of its core, as ffmpeg reads it', async (hex, layout) => {
    const asc = Buffer.from(hex, 'hex');
    const core = parseAudioSpecificConfig(asc);
    const format = layout === '' ? ['-ac', String(core.channels)] : ['-af', `aformat=channel_layouts=${layout}`];
    const encode = ['-c:a', 'aac', '-ar', String(core.sampleRate), ...format];
    const adts = await make(`${hex}.aac`, [...testSound(1), ...encode]);
    const config = aacTrackConfig(1, asc);
    const muxer = new FlvMuxer([config]);
    const tags = [muxer.header()];
    for (let at = 0, index = 0; at < adts.length; index++) {
      const frame = parseAdtsHeader(adts, at);
      if (frame === undefined) break;
      const time = micros(index * 20_000);
      const data = adts.subarray(at + frame.headerLength, at + frame.frameLength);
      tags.push(muxer.sample({ track: 1, kind: 'audio', dts: time, pts: time, keyframe: true, data }));
      at += frame.frameLength;
    }
    const path = join(directory, `${hex}.flv`);
    await writeFile(path, Buffer.concat(tags));
    const { streams } = await ffprobe(path);
    // Not the profile: ffprobe takes it from the frames, and these have no SBR in them.
    expect(streams[0]).toMatchObject({ sample_rate: String(config.sampleRate), channels: config.channels });
  });

  it('MP3', async () => {
    const mp3 = await make('sound.mp3', [
      ...testSound(1),
      '-c:a',
      'libmp3lame',
      '-b:a',
      '128k',
      '-id3v2_version',
      '0',
      '-write_xing',
      '0',
    ]);
    expect(mp3TrackConfig(1, mp3)).toMatchObject({ codec: 'mp3', sampleRate: 48_000, channels: 1 });
    let frames = 0;
    for (let at = 0; at < mp3.length; frames++) at += parseMp3FrameHeader(mp3, at)?.frameLength ?? mp3.length;
    expect(frames).toBeGreaterThanOrEqual(42);
  });

  it('Opus', async () => {
    const ogg = await make('sound.ogg', [...testSound(1), '-c:a', 'libopus', '-ac', '2']);
    const at = ogg.indexOf('OpusHead');
    const head = ogg.subarray(at, at + 19);
    expect(parseOpusHead(head)).toEqual({ channels: 2, preSkip: 312, inputSampleRate: 48_000, mappingFamily: 0 });
    expect(opusTrackConfig(1, head)).toMatchObject({ codecString: 'opus', sampleRate: 48_000, channels: 2 });
    expect(opusPacketDuration(Buffer.from([0xfc]))).toBe(20_000);
    expect(opusPacketDuration(Buffer.from([0x00]))).toBe(10_000);
    expect(opusPacketDuration(Buffer.from([0xe3, 0x04]))).toBe(10_000);
  });
});
