import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import type { MediaEvent, Sample } from '../sample.js';
import { FlvSampleReader } from './sample-reader.js';

const AVCC = '014d400affe10016674d400aeca21342000003000200000300641e244b2c01000468ce0fc8';
const HVCC =
  '0101600000009000000000001ef000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003001e95900921' +
  '0001002742010101600000030090000003000003001ea0208105965644a4c2e68080000003008000000c8422000100064401c073c089';
const AV1C = '81000c000a0a00000002afff805f0008';
const VPCC = '01000000000a820202020000';
const ASC = '1210';
const OPUS_HEAD = '4f707573486561640102380180bb0000000000';
/** MPEG 1 layer III, 44.1 kHz, 128 kbit/s, stereo. */
const MP3_FRAME = `fffb9064${'00'.repeat(8)}`;
const fourCc = (text: string) => Buffer.from(text, 'latin1').toString('hex');

const video = (reader: FlvSampleReader, hex: string, timestamp = 0) =>
  reader.read(9, timestamp, Buffer.from(hex, 'hex'));
const audio = (reader: FlvSampleReader, hex: string, timestamp = 0) =>
  reader.read(8, timestamp, Buffer.from(hex, 'hex'));
const samplesOf = (events: readonly MediaEvent[]): Sample[] =>
  events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
/** A sample as short as it can be said. */
const brief = (sample: Sample) => [sample.track, sample.dts, sample.pts, sample.keyframe, sample.data.toString('hex')];

function prepared(): FlvSampleReader {
  const reader = new FlvSampleReader();
  video(reader, `1700000000${AVCC}`);
  audio(reader, `af00${ASC}`);
  return reader;
}

describe('legacy tags', () => {
  it('reads H.264, with composition times of either sign', () => {
    const reader = new FlvSampleReader();
    const [config] = video(reader, `1700000000${AVCC}`);
    expect(config).toMatchObject({ type: 'config', config: { track: 0, codec: 'h264', width: 64, height: 64 } });
    expect(samplesOf(video(reader, '1701000028000000026588', 40)).map(brief)).toEqual([
      [0, 40_000, 80_000, true, '000000026588'],
    ]);
    expect(samplesOf(video(reader, '2701ffffd800000002419a', 80)).map(brief)).toEqual([
      [0, 80_000, 40_000, false, '00000002419a'],
    ]);
  });

  it('takes an IDR picture for a keyframe, whatever the tag says', () => {
    expect(samplesOf(video(prepared(), '2701000000000000026588'))[0]?.keyframe).toBe(true);
  });

  it('reads HEVC by the number that CDNs use', () => {
    const reader = new FlvSampleReader();
    expect(video(reader, `1c00000000${HVCC}`)).toMatchObject([{ type: 'config', config: { codec: 'hevc' } }]);
    expect(samplesOf(video(reader, '1c0100000000000003260101')).map(brief)).toEqual([
      [0, 0, 0, true, '00000003260101'],
    ]);
  });

  it('reads AAC and MP3; the latter by its first frame', () => {
    const reader = new FlvSampleReader();
    expect(audio(reader, `af00${ASC}`)).toMatchObject([
      { type: 'config', config: { track: 1, codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 44_100, channels: 2 } },
    ]);
    expect(samplesOf(audio(reader, 'af01aabb', 23)).map(brief)).toEqual([[1, 23_000, 23_000, true, 'aabb']]);
    const mp3 = audio(new FlvSampleReader(), `2f${MP3_FRAME}`, 26);
    expect(mp3[0]).toMatchObject({
      type: 'config',
      config: { track: 1, codec: 'mp3', sampleRate: 44_100, channels: 2 },
    });
    expect(samplesOf(mp3).map(brief)).toEqual([[1, 26_000, 26_000, true, MP3_FRAME]]);
  });

  it.each([1, 2])('gives samples and configuration lengths of 4 bytes where the encoder has %i', (lengthSize) => {
    const reader = new FlvSampleReader();
    const avcC = Buffer.from(AVCC, 'hex');
    avcC[4] = 0xfc | (lengthSize - 1);
    const [event] = video(reader, `1700000000${avcC.toString('hex')}`);
    expect(event?.type === 'config' && event.config.description.toString('hex')).toBe(AVCC);
    const length = '02'.padStart(2 * lengthSize, '0');
    expect(samplesOf(video(reader, `1701000000${length}6588${length}6599`))[0]?.data.toString('hex')).toBe(
      '000000026588' + '000000026599',
    );
    const hvcC = Buffer.from(HVCC, 'hex');
    hvcC[21] = (hvcC[21]! & 0xfc) | (lengthSize - 1);
    const [hevc] = video(reader, `90${fourCc('hvc1')}${hvcC.toString('hex')}`);
    const ends = hevc?.type === 'config' && hevc.config.description[21]! & 3;
    expect(ends).toBe(3);
  });

  it('says a configuration once, and again when it has changed', () => {
    const reader = prepared();
    expect(video(reader, `1700000000${AVCC}`)).toEqual([]);
    expect(audio(reader, 'af001190')).toMatchObject([{ type: 'config', config: { sampleRate: 48_000 } }]);
    expect(audio(reader, 'af001190')).toEqual([]);
  });

  it('passes over what carries no media', () => {
    const reader = prepared();
    for (const hex of ['', '5700', '1700000000', '1701000000']) expect(video(reader, hex)).toEqual([]);
    for (const hex of ['', 'af00', 'af01', '2f']) expect(audio(reader, hex)).toEqual([]);
  });

  it('tells the end of a sequence, also without its composition time', () => {
    expect(video(prepared(), '1702000000')).toEqual([{ type: 'end-of-track', track: 0 }]);
    expect(video(prepared(), '1702')).toEqual([{ type: 'end-of-track', track: 0 }]);
  });

  it('goes on over the wrap of 32-bit timestamps, also where the tracks cross it one after the other', () => {
    const reader = prepared();
    const at = (timestamp: number) => samplesOf(audio(reader, 'af0101', timestamp))[0]?.dts;
    expect(at(0xffff_fff0)).toBe(0xffff_fff0 * 1000);
    expect(at(0x10)).toBe((2 ** 32 + 0x10) * 1000);
    const late = samplesOf(video(reader, '1701000000000000026588', 0xffff_fffe))[0];
    expect(late?.dts).toBe(0xffff_fffe * 1000);
    expect(at(0x20)).toBe((2 ** 32 + 0x20) * 1000);
  });
});

describe('Enhanced RTMP', () => {
  it.each([
    ['avc1', AVCC, 'avc1.4d400a'],
    ['hvc1', HVCC, 'hvc1.1.6.L30.90'],
    ['av01', AV1C, 'av01.0.00M.08'],
    ['vp09', VPCC, 'vp09.00.10.08'],
  ])('reads sequence starts of %s', (name, record, codecString) => {
    expect(video(new FlvSampleReader(), `90${fourCc(name)}${record}`)).toMatchObject([
      { type: 'config', config: { track: 0, codecString, description: Buffer.from(record, 'hex') } },
    ]);
  });

  it.each([
    ['mp4a', ASC, 'mp4a.40.2'],
    ['Opus', OPUS_HEAD, 'opus'],
  ])('reads sequence starts of %s', (name, record, codecString) => {
    expect(audio(new FlvSampleReader(), `90${fourCc(name)}${record}`)).toMatchObject([
      { type: 'config', config: { track: 1, codecString, description: Buffer.from(record, 'hex') } },
    ]);
  });

  it('reads composition times of H.264 and HEVC, none of CodedFramesX, AV1 and VP9', () => {
    const reader = new FlvSampleReader();
    const read = (name: string, record: string, frames: readonly string[]) => {
      video(reader, `90${fourCc(name)}${record}`);
      return frames.map((frame) => samplesOf(video(reader, frame, 40)).map(brief)[0]);
    };
    expect(read('hvc1', HVCC, [`91${fourCc('hvc1')}00002800000002${'2601'}`])).toEqual([
      [0, 40_000, 80_000, true, '000000022601'],
    ]);
    expect(read('hvc1', HVCC, [`a1${fourCc('hvc1')}ffffec000000020201`, `a3${fourCc('hvc1')}000000020201`])).toEqual([
      [0, 40_000, 20_000, false, '000000020201'],
      [0, 40_000, 40_000, false, '000000020201'],
    ]);
    expect(read('avc1', AVCC, [`91${fourCc('avc1')}000001000000026588`])).toEqual([
      [0, 40_000, 41_000, true, '000000026588'],
    ]);
    // A temporal delimiter before a padding OBU: the first is not part of samples.
    expect(read('av01', AV1C, [`91${fourCc('av01')}12007a0155`])).toEqual([[0, 40_000, 40_000, true, '7a0155']]);
    expect(read('vp09', VPCC, [`a1${fourCc('vp09')}860040`])).toEqual([[0, 40_000, 40_000, false, '860040']]);
  });

  it('reads frames of AAC, MP3 and Opus', () => {
    const reader = new FlvSampleReader();
    audio(reader, `90${fourCc('mp4a')}${ASC}`);
    expect(samplesOf(audio(reader, `91${fourCc('mp4a')}aabb`)).map(brief)).toEqual([[1, 0, 0, true, 'aabb']]);
    expect(audio(reader, `91${fourCc('.mp3')}${MP3_FRAME}`)).toMatchObject([
      { type: 'config', config: { codec: 'mp3' } },
      { type: 'sample', sample: { track: 1 } },
    ]);
    audio(reader, `90${fourCc('Opus')}${OPUS_HEAD}`);
    expect(samplesOf(audio(reader, `91${fourCc('Opus')}fc01`)).map(brief)).toEqual([[1, 0, 0, true, 'fc01']]);
  });

  it('takes Opus without a head for stereo', () => {
    const reader = new FlvSampleReader();
    expect(audio(reader, `90${fourCc('Opus')}`)).toMatchObject([{ config: { codec: 'opus', channels: 2 } }]);
    expect(samplesOf(audio(reader, `91${fourCc('Opus')}fc01`))).toHaveLength(1);
    const mono = OPUS_HEAD.replace('0102', '0101');
    expect(audio(reader, `90${fourCc('Opus')}${mono}`)).toMatchObject([{ config: { channels: 1 } }]);
    expect(audio(reader, `90${fourCc('Opus')}`)).toEqual([]);
  });

  it('takes a vpcC without version and flags for one with them', () => {
    const [event] = video(new FlvSampleReader(), `90${fourCc('vp09')}${VPCC.slice(8)}`);
    expect(event).toMatchObject({ config: { description: Buffer.from(VPCC, 'hex'), codecString: 'vp09.00.10.08' } });
  });

  it('tells the end of sequences', () => {
    expect(video(new FlvSampleReader(), `92${fourCc('hvc1')}`)).toEqual([{ type: 'end-of-track', track: 0 }]);
    expect(audio(new FlvSampleReader(), `92${fourCc('mp4a')}`)).toEqual([{ type: 'end-of-track', track: 1 }]);
    expect(video(new FlvSampleReader(), `9602${fourCc('hvc1')}03`)).toEqual([{ type: 'end-of-track', track: 6 }]);
  });

  it('passes over metadata about colours, commands and channel layouts', () => {
    expect(video(new FlvSampleReader(), `d4${fourCc('hvc1')}020009636f6c6f72496e666f`)).toEqual([]);
    expect(video(new FlvSampleReader(), `94${fourCc('zzzz')}02`)).toEqual([]);
    expect(video(new FlvSampleReader(), 'd100')).toEqual([]);
    expect(audio(new FlvSampleReader(), `94${fourCc('Opus')}010200000003`)).toEqual([]);
  });

  describe('ModEx', () => {
    const opus = (hex: string) => {
      const reader = new FlvSampleReader();
      audio(reader, `90${fourCc('Opus')}${OPUS_HEAD}`);
      return samplesOf(audio(reader, hex, 20)).map(brief)[0];
    };
    const frame = `${fourCc('Opus')}fc01`;

    it('adds nanoseconds to the timestamp', () => {
      expect(opus(`97${'02'}${'07a120'}${'01'}${frame}`)).toEqual([1, 20_500, 20_500, true, 'fc01']);
      const reader = prepared();
      const timed = `97${'02'}${'000fa0'}${'01'}${fourCc('avc1')}000001000000026588`;
      expect(samplesOf(video(reader, timed, 10)).map(brief)).toEqual([[0, 10_004, 11_004, true, '000000026588']]);
    });

    it('passes over modifiers that are unknown, however long, and reads several', () => {
      expect(opus(`97${'00'}${'ff'}${'51'}${frame}`)).toEqual([1, 20_000, 20_000, true, 'fc01']);
      expect(opus(`97${'02'}${'07a120'}${'51'}${frame}`)).toEqual([1, 20_000, 20_000, true, 'fc01']);
      const long = `97${'ff'}${'012b'}${'aa'.repeat(300)}${'57'}${'02'}${'000fa0'}${'01'}${frame}`;
      expect(opus(long)).toEqual([1, 20_004, 20_004, true, 'fc01']);
    });

    it('stands before multitrack', () => {
      expect(opus(`97${'02'}${'000fa0'}${'05'}${'01'}${fourCc('Opus')}${'00'}fc01`)).toEqual([
        1,
        20_004,
        20_004,
        true,
        'fc01',
      ]);
    });
  });

  describe('multitrack', () => {
    const size = (hex: string) => (hex.length / 2).toString(16).padStart(6, '0');

    it('reads one track', () => {
      expect(audio(new FlvSampleReader(), `9500${fourCc('Opus')}01${OPUS_HEAD}`)).toMatchObject([
        { type: 'config', config: { codec: 'opus', track: 3 } },
      ]);
      expect(video(new FlvSampleReader(), `9600${fourCc('avc1')}02${AVCC}`)).toMatchObject([
        { type: 'config', config: { codec: 'h264', track: 4 } },
      ]);
    });

    it('reads many tracks of one codec', () => {
      const reader = new FlvSampleReader();
      const tracks = (...bodies: string[]) => bodies.map((body, id) => `0${id}${size(body)}${body}`).join('');
      expect(video(reader, `9610${fourCc('avc1')}${tracks(AVCC, AVCC)}`)).toMatchObject([
        { type: 'config', config: { track: 0 } },
        { type: 'config', config: { track: 2 } },
      ]);
      const frames = tracks('000000000000026588', '00000a000000026599');
      expect(samplesOf(video(reader, `9611${fourCc('avc1')}${frames}`, 7)).map(brief)).toEqual([
        [0, 7000, 7000, true, '000000026588'],
        [2, 7000, 17_000, true, '000000026599'],
      ]);
    });

    it('reads many tracks of many codecs', () => {
      const reader = new FlvSampleReader();
      const tracks = `${fourCc('mp4a')}00${size(ASC)}${ASC}${fourCc('Opus')}01${size(OPUS_HEAD)}${OPUS_HEAD}`;
      expect(audio(reader, `9520${tracks}`)).toMatchObject([
        { type: 'config', config: { codec: 'aac', track: 1 } },
        { type: 'config', config: { codec: 'opus', track: 3 } },
      ]);
      const frames = `${fourCc('mp4a')}00000002aabb${fourCc('Opus')}01000002fc01`;
      expect(samplesOf(audio(reader, `9521${frames}`)).map(brief)).toEqual([
        [1, 0, 0, true, 'aabb'],
        [3, 0, 0, true, 'fc01'],
      ]);
    });

    it('refuses more parts than there are track numbers', () => {
      const parts = (count: number) => `9512${fourCc('Opus')}${'00000000'.repeat(count)}`;
      expect(audio(new FlvSampleReader(), parts(256))).toHaveLength(256);
      expect(() => audio(new FlvSampleReader(), parts(257))).toThrow(error('too-large'));
    });
  });
});

describe('refusals', () => {
  it.each([
    ['a frame before its sequence header', 9, '1701000000000000026588', 'no-config'],
    ['an AAC frame before its sequence header', 8, 'af0101', 'no-config'],
    ['an enhanced frame before its sequence start', 9, `93${fourCc('hvc1')}000000022601`, 'no-config'],
    ['an unknown fourcc', 9, '9078787878', 'unsupported'],
    ['VP8', 9, `90${fourCc('vp08')}`, 'unsupported'],
    ['AC-3', 8, `90${fourCc('ac-3')}`, 'unsupported'],
    ['Sorenson H.263', 9, '1200', 'unsupported'],
    ['Speex', 8, 'b200', 'unsupported'],
    ['AV1 in MPEG-TS form', 9, `95${fourCc('av01')}00`, 'unsupported'],
    ['a reserved video packet type', 9, `98${fourCc('avc1')}`, 'unsupported'],
    ['a reserved audio packet type', 8, `93${fourCc('Opus')}`, 'unsupported'],
    ['a reserved multitrack layout', 9, `9631${fourCc('avc1')}`, 'unsupported'],
    ['multitrack in multitrack', 9, `9606${fourCc('avc1')}00`, 'unsupported'],
    ['an unknown AVC packet type', 9, '1703000000', 'malformed'],
    ['an AVC header that is cut off', 9, '17010000', 'truncated'],
    ['an AAC header that is cut off', 8, 'af', 'truncated'],
    ['a fourcc that is cut off', 9, '90617663', 'truncated'],
    ['an avcC that is cut off', 9, '170000000001640028ffe100', 'truncated'],
    ['a composition time that is cut off', 9, `91${fourCc('avc1')}0000`, 'truncated'],
    ['a ModEx size that is cut off', 8, '97ff00', 'truncated'],
    ['ModEx data past the end', 8, '9709000000', 'truncated'],
    ['a multitrack size past the end', 9, `9611${fourCc('avc1')}0000ffff00`, 'truncated'],
    ['an MP3 frame that is none', 8, '2f00000000', 'malformed'],
  ] as const)('refuses %s', (_, type, hex, code) => {
    const read = () => new FlvSampleReader().read(type, 0, Buffer.from(hex, 'hex'));
    expect(read).toThrow(error(code));
  });

  it('names the codec that it refuses', () => {
    expect(() => audio(new FlvSampleReader(), 'b200')).toThrow(/Speex; use AAC, MP3 or Opus/);
    expect(() => video(new FlvSampleReader(), `90${fourCc('vvc1')}`)).toThrow(/"vvc1"/);
  });

  it('refuses NAL units that overrun their sample, and goes on', () => {
    const reader = prepared();
    expect(() => video(reader, '1701000000000000096588')).toThrow(error('malformed'));
    expect(samplesOf(video(reader, '1701000000000000026588'))).toHaveLength(1);
  });

  it('keeps a configuration that was good when a bad one comes', () => {
    const reader = prepared();
    expect(() => video(reader, '170000000001640028ffe100')).toThrow(error('truncated'));
    expect(samplesOf(video(reader, '1701000000000000026588'))).toHaveLength(1);
  });

  it('throws nothing but MediaError, whatever the bytes', () => {
    const survives = (type: 8 | 9 | 18, body: Uint8Array) => {
      try {
        prepared().read(type, 0, Buffer.from(body));
      } catch (caught) {
        expect(caught).toBeInstanceOf(MediaError);
      }
    };
    fc.assert(
      fc.property(fc.constantFrom(8 as const, 9 as const, 18 as const), fc.uint8Array({ maxLength: 60 }), survives),
      { numRuns: 2000 },
    );
    // Every cut and every value of a few bytes of bodies that are right.
    for (const [type, hex] of [
      [9, `1700000000${AVCC}`],
      [9, `90${fourCc('hvc1')}${HVCC}`],
      [9, `9620${fourCc('av01')}01000010${AV1C}${fourCc('vp09')}0200000c${VPCC}`],
      [8, `97${'02'}${'07a120'}${'00'}${fourCc('Opus')}${OPUS_HEAD}`],
    ] as const) {
      const body = Buffer.from(hex, 'hex');
      for (let cut = 0; cut < body.length; cut++) survives(type, body.subarray(0, cut));
      for (let at = 0; at < body.length; at++) {
        for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
          const mutated = Buffer.from(body);
          mutated[at] = value;
          survives(type, mutated);
        }
      }
    }
  });
});
