import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vp8TrackConfig } from '../codecs/vp8.js';
import type { Sample } from '../sample.js';
import { micros } from '../time.js';
import type { Codec, TrackConfig } from '../track-config.js';
import { isFlvCodec } from './codec-ids.js';
import { FlvDemuxer } from './demuxer.js';
import { flvOpeningMessages, flvSampleMessage } from './message.js';
import { flvMetadataBody } from './metadata.js';
import { FlvMuxer } from './muxer.js';
import { FlvSampleReader } from './sample-reader.js';
import { flvConfigBody, flvSampleBodyHeader, flvTagTypeOf } from './sample-writer.js';
import { FlvTagParser } from './tag.js';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}.flv`, import.meta.url));
const eventsOf = (name: string) => new FlvDemuxer().push(fixture(name));
const configsOf = (name: string): TrackConfig[] =>
  eventsOf(name).flatMap((event) => (event.type === 'config' ? [event.config] : []));
const CONFIGS = ['hevc-opus', 'vp9-aac', 'av1-opus', 'multitrack'].flatMap(configsOf);

function configFor(codec: Codec, track: number): TrackConfig {
  const found = CONFIGS.find((config) => config.codec === codec);
  if (found !== undefined) return { ...found, track };
  const mp3 = { kind: 'audio', track, codec: 'mp3', codecString: 'mp3', description: Buffer.alloc(0) } as const;
  return { ...mp3, sampleRate: 44_100, channels: 2 };
}

/** Bytes that are a well-formed sample of the codec, as far as FLV looks. */
const DATA: Readonly<Record<Codec, string>> = {
  vp8: '310200',
  h264: '00000002419a',
  hevc: '000000020201',
  av1: '7a0155',
  vp9: '860040',
  aac: 'aabb',
  mp3: 'fffb906400',
  opus: 'fc01',
};
const sampleOf = (config: TrackConfig, change: Partial<Sample> = {}): Sample => ({
  track: config.track,
  kind: config.kind,
  dts: micros(40_000),
  pts: micros(40_000),
  keyframe: config.kind === 'audio',
  data: Buffer.from(DATA[config.codec], 'hex'),
  ...change,
});
const bodyOf = (sample: Sample, config: TrackConfig) =>
  Buffer.concat([flvSampleBodyHeader(sample, config), sample.data]);

describe('headers of tag bodies', () => {
  it.each([
    ['h264', 0, '2701000000', '1700000000'],
    ['aac', 1, 'af01', 'af00'],
    ['mp3', 1, '2f', undefined],
    ['hevc', 0, 'a368766331', '9068766331'],
    ['av1', 0, 'a161763031', '9061763031'],
    ['vp9', 0, 'a176703039', '9076703039'],
    ['opus', 1, '914f707573', '904f707573'],
    ['h264', 2, 'a6036176633101', '96006176633101'],
    ['hevc', 4, 'a6036876633102', '96006876633102'],
    ['aac', 3, '95016d70346101', '95006d70346101'],
    ['mp3', 5, '95012e6d703302', undefined],
  ] as const)('%s on track %i', (codec, track, frame, start) => {
    const config = configFor(codec, track);
    expect(flvSampleBodyHeader(sampleOf(config), config).toString('hex')).toBe(frame);
    const body = flvConfigBody(config);
    expect(body?.subarray(0, body.length - config.description.length).toString('hex')).toBe(start);
    expect(flvTagTypeOf(config)).toBe(config.kind === 'video' ? 9 : 8);
  });

  it('say composition times of either sign, and no more than 24 bits can', () => {
    const at = (codec: Codec, dts: number, pts: number) => {
      const config = configFor(codec, 0);
      return flvSampleBodyHeader(sampleOf(config, { dts: micros(dts), pts: micros(pts) }), config).toString('hex');
    };
    expect(at('h264', 40_000, 80_000)).toBe('2701000028');
    expect(at('h264', 40_000, 20_000)).toBe('2701ffffec');
    expect(at('hevc', 40_000, 80_000)).toBe('a168766331000028');
    expect(at('h264', 0, 1e12)).toBe('27017fffff');
    expect(at('h264', 1e12, 0)).toBe('2701800001');
    // 33.333 and 66.667 ms: the pts is to come out as 67, not as 33 + 33.
    expect(at('h264', 33_333, 66_667)).toBe('2701000022');
  });
});

describe('what FLV does not carry', () => {
  it('is refused', () => {
    const vp8 = vp8TrackConfig(0, Buffer.from('d01a009d012a80026801', 'hex'));
    const refusal = expect.objectContaining({ name: 'MediaError', code: 'unsupported' });
    expect(() => flvConfigBody(vp8)).toThrow(refusal);
    expect(() => flvSampleBodyHeader(sampleOf(vp8), vp8)).toThrow(refusal);
    expect(() => flvMetadataBody([vp8])).toThrow(refusal);
    expect(isFlvCodec('vp8')).toBe(false);
  });
});

describe('messages', () => {
  it('are the tags of the same samples, in one piece', () => {
    const video = configFor('h264', 0);
    const mp3 = configFor('mp3', 1);
    expect(flvOpeningMessages([video, mp3])).toEqual([
      { type: 18, timestamp: 0, payload: flvMetadataBody([video, mp3]) },
      { type: 9, timestamp: 0, payload: flvConfigBody(video) },
    ]);
    const late = micros(2 ** 32 * 1000 + 40_000);
    const sample = sampleOf(video, { dts: late, pts: late });
    expect(flvSampleMessage(sample, video)).toEqual({ type: 9, timestamp: 40, payload: bodyOf(sample, video) });
  });
});

describe('what is written', () => {
  it('is read back: every codec, on any track, at any time', () => {
    const codecs = fc.constantFrom<Codec>('h264', 'hevc', 'av1', 'vp9', 'aac', 'mp3', 'opus');
    const millis = fc.integer({ min: 0, max: 0x7fff_ffff });
    fc.assert(
      fc.property(codecs, fc.nat(255), millis, fc.integer({ min: -5000, max: 5000 }), fc.boolean(), (...drawn) => {
        const [codec, number, dts, offset, keyframe] = drawn;
        const isVideo = ['h264', 'hevc', 'av1', 'vp9'].includes(codec);
        const config = configFor(codec, 2 * number + (isVideo ? 0 : 1));
        const hasOffset = codec === 'h264' || codec === 'hevc';
        const sample = sampleOf(config, {
          dts: micros(dts * 1000),
          pts: micros((dts + (hasOffset ? offset : 0)) * 1000),
          keyframe: isVideo ? keyframe : true,
        });
        const reader = new FlvSampleReader();
        const start = flvConfigBody(config);
        const type = flvTagTypeOf(config);
        const events = start === undefined ? [] : reader.read(type, 0, start);
        if (codec !== 'mp3') expect(events).toEqual([{ type: 'config', config }]);
        const read = reader.read(type, dts, bodyOf(sample, config));
        expect(read.at(-1)).toEqual({ type: 'sample', sample });
      }),
    );
  });

  it.each(['hevc-opus', 'vp9-aac', 'av1-opus', 'multitrack'])('is what FFmpeg writes, byte by byte: %s', (name) => {
    const configs = new Map(configsOf(name).map((config) => [config.track, config]));
    const ours = eventsOf(name).flatMap((event) => {
      if (event.type === 'config') return [flvConfigBody(event.config)];
      if (event.type !== 'sample') return [];
      return [bodyOf(event.sample, configs.get(event.sample.track)!)];
    });
    // FFmpeg also writes colour metadata, channel layouts and ends of sequence, and keeps AV1's temporal delimiters.
    const passedOver = /^(d4|94|9504|1702)/;
    const delimiter = new RegExp(`^([9a]1${Buffer.from('av01').toString('hex')})1200`);
    const theirs = new FlvTagParser()
      .push(fixture(name))
      .filter((tag) => tag.type !== 18 && !passedOver.test(tag.body.toString('hex')))
      .map((tag) => tag.body.toString('hex').replace(delimiter, '$1'));
    expect(theirs.length).toBeGreaterThan(20);
    expect(ours.map((body) => body?.toString('hex'))).toEqual(theirs);
  });
});

describe('FlvMuxer', () => {
  it('announces a configuration that changes, at its time', () => {
    const before = configFor('aac', 1);
    const after: TrackConfig = { ...before, description: Buffer.from('1190', 'hex') };
    const muxer = new FlvMuxer([before]);
    const bytes = Buffer.concat([
      muxer.header(),
      muxer.sample(sampleOf(before)),
      muxer.config(after, micros(63_000)),
      muxer.config(configFor('mp3', 3), micros(63_000)),
      muxer.sample(sampleOf(after, { dts: micros(63_000), pts: micros(63_000) })),
      muxer.sample(sampleOf(configFor('mp3', 3))),
    ]);
    const tags = new FlvTagParser().push(bytes);
    expect(bytes[4]).toBe(4);
    expect(tags.map((tag) => [tag.type, tag.timestamp])).toEqual([
      [18, 0],
      [8, 0],
      [8, 40],
      [8, 63],
      [8, 63],
      [8, 40],
    ]);
    expect(new FlvDemuxer().push(bytes).map((event) => event.type)).toEqual([
      'metadata',
      'config',
      'sample',
      'config',
      'sample',
      'config',
      'sample',
    ]);
  });

  it('refuses a sample of a track that was not announced', () => {
    const muxer = new FlvMuxer([configFor('h264', 0)]);
    expect(() => muxer.sample(sampleOf(configFor('aac', 1)))).toThrow(expect.objectContaining({ code: 'no-config' }));
  });
});
