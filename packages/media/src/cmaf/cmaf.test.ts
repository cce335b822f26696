import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aacTrackConfig } from '../codecs/aac.js';
import { buildAvcC, h264TrackConfig } from '../codecs/h264.js';
import { joinLengthPrefixed } from '../codecs/nal.js';
import { buildOpusHead, opusTrackConfig } from '../codecs/opus.js';
import { vp9TrackConfig } from '../codecs/vp9.js';
import type { Sample } from '../sample.js';
import { micros, millis } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { EVENT_SCHEME } from './event-message.js';
import { writeFragment } from './fragment.js';
import { FragmentWriter } from './fragment-writer.js';
import { writeInitSegment } from './init-segment.js';
import { findBox, readBoxes } from './reading/boxes.js';
import { Fmp4Reader } from './reading/fmp4-reader.js';
import { readMovie } from './reading/movie-reader.js';
import { readMp4 } from './reading/mp4-file.js';
import { type Media, mediaOf, packaged } from './testing/packaged.js';
import type { TrackRun } from './track-run.js';
import { microsFromTicks, ticksFromMicros, timescaleOf } from './track-time.js';

const hex = (text: string) => Buffer.from(text, 'hex');
const SPS = hex('6742c00cda05067e7c0440000003004000000c83c50aa8');
const VIDEO = h264TrackConfig(0, buildAvcC([SPS], [hex('68ce0fc8')]));
const SOUND = aacTrackConfig(1, hex('1190'));
const SOUND_44 = aacTrackConfig(1, hex('1210'));
const OPUS = opusTrackConfig(3, buildOpusHead({ channels: 6, preSkip: 312, inputSampleRate: 44_100 }));
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

const picture = (dts: number, options: { pts?: number; keyframe?: boolean; size?: number } = {}): Sample => {
  const { pts = dts, keyframe = false, size = 20 } = options;
  const data = joinLengthPrefixed([Buffer.alloc(size, keyframe ? 0x65 : 0x41)]);
  return { track: 0, kind: 'video', dts: micros(dts), pts: micros(pts), keyframe, data };
};
const sound = (dts: number, track = 1, data = Buffer.alloc(9, 7)): Sample => ({
  ...{ track, kind: 'audio' as const, keyframe: true, data },
  ...{ dts: micros(dts), pts: micros(dts) },
});
const run = (changes: Partial<TrackRun> = {}): TrackRun => ({
  ...{ track: 0, kind: 'video', timescale: 90_000, baseDecodeTime: 0 },
  samples: [{ duration: 3600, compositionOffset: 0, keyframe: true, data: Buffer.alloc(10) }],
  ...changes,
});
const bytesOf = (runs: readonly TrackRun[], options: Partial<Parameters<typeof writeFragment>[1]> = {}) =>
  Buffer.concat(writeFragment(runs, { sequence: 1, ...options }).pieces);
/** The payload of a box, by the types on the way to it. */
const boxAt = (bytes: Buffer, ...path: readonly string[]): Buffer =>
  path.reduce((inside, type) => findBox(readBoxes(inside), type)!.payload, bytes);

/** Streams of pictures in any order and of sound that may pause, on the grid of their timescales. */
const streams: fc.Arbitrary<Media> = fc
  .record({
    start: fc.oneof(fc.nat(10_000_000), fc.constant(47_721_858_845), fc.constant(1_770_000_000_000_000)),
    pictures: fc.array(
      fc.record({
        step: fc.integer({ min: 1, max: 20_000 }),
        late: fc.nat(10),
        keyframe: fc.boolean(),
        size: fc.integer({ min: 1, max: 300 }),
      }),
      { maxLength: 30 },
    ),
    frames: fc.array(
      fc.record({
        pause: fc.oneof(fc.constant(0), fc.integer({ min: 1000, max: 500_000 })),
        size: fc.integer({ min: 1, max: 40 }),
      }),
      {
        maxLength: 30,
      },
    ),
    config: fc.constantFrom<TrackConfig>(SOUND, SOUND_44),
  })
  .map(({ start, pictures, frames, config }) => {
    const samples: Sample[] = [];
    let ticks = ticksFromMicros(micros(start), 90_000);
    for (const { step, late, keyframe, size } of pictures) {
      const time = (value: number) => microsFromTicks(value, 90_000);
      samples.push(picture(time(ticks), { pts: time(ticks + late * 3000), keyframe, size }));
      ticks += step;
    }
    const timescale = timescaleOf(config);
    let at = ticksFromMicros(micros(start), timescale);
    for (const { pause, size } of frames) {
      samples.push(sound(microsFromTicks(at, timescale), 1, Buffer.alloc(size, size)));
      at += 1024 + pause;
    }
    return { configs: [VIDEO, config], samples: samples.sort((a, b) => a.dts - b.dts) };
  });

describe('CMAF, written and read again', () => {
  it('is what it was', () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 20_000, max: 1_000_000 }), fc.boolean(), (media, part, extras) => {
        const again = mediaOf(readMp4(Buffer.concat(packaged(media, { part, extras }))));
        expect(again.configs).toEqual(media.configs);
        for (const track of [0, 1]) {
          const of = ({ samples }: Media) => samples.filter((sample) => sample.track === track);
          expect(of(again)).toEqual(of(media));
        }
      }),
    );
  });

  it('is the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 400 }), (media, size) => {
        const file = Buffer.concat(packaged(media, { extras: true }));
        const reader = new Fmp4Reader();
        const events = [];
        for (let at = 0; at < file.length; at += size) events.push(...reader.push(file.subarray(at, at + size)));
        expect(events).toEqual(new Fmp4Reader().push(file));
        expect(reader.wholeUntil).toBe(file.length);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps languages, delays and what is skipped', () => {
    const init = writeInitSegment([VIDEO, SOUND, OPUS], {
      tracks: new Map([
        [0, { delay: micros(1_500_000) }],
        [1, { language: 'deu', skip: micros(42_667) }],
        [3, { language: 'pt-BR', delay: micros(250_000), skip: micros(6500) }],
      ]),
    });
    const { tracks, fragmented } = readMovie(findBox(readBoxes(init), 'moov')!);
    expect(fragmented).toBe(true);
    expect(tracks.map(({ config }) => config)).toEqual([VIDEO, SOUND, OPUS]);
    expect(tracks.map(({ timescale }) => timescale)).toEqual([90_000, 48_000, 48_000]);
    expect(tracks.map(({ language }) => language)).toEqual([undefined, 'deu', 'pt-BR']);
    expect(tracks.map(({ delay, skip }) => [delay, skip])).toEqual([
      [1_500_000, 0],
      [0, 2048],
      [250_000, 312],
    ]);
  });
});

describe('init segments', () => {
  it('say CMAF with one track, and name what they hold', () => {
    const brands = (init: Buffer) => boxAt(init, 'ftyp').toString('latin1').replaceAll('\0', ' ').trim();
    expect(brands(writeInitSegment([VIDEO]))).toBe('cmfc    cmfciso6iso5mp41');
    expect(brands(writeInitSegment([VIDEO, SOUND]))).toBe('iso6    iso6iso5mp41');
    const init = writeInitSegment([VIDEO, OPUS]);
    expect(boxAt(init, 'moov', 'mvhd').readUInt32BE(96)).toBe(5);
  });

  it('are refused for what they can’t say', () => {
    const vp9 = vp9TrackConfig(0, hex('01000000000b820202020000'));
    expect(() => writeInitSegment([])).toThrow(error('unsupported'));
    expect(() => writeInitSegment([vp9])).toThrow(error('unsupported'));
    const size = { width: 320, height: 180 };
    const init = writeInitSegment([vp9], { tracks: new Map([[0, { size }]]) });
    expect(readMp4(init)).toEqual([{ type: 'config', config: { ...vp9, ...size } }]);
    for (const language of ['', 'english language', 'e']) {
      expect(() => writeInitSegment([SOUND], { tracks: new Map([[1, { language }]]) })).toThrow(error('malformed'));
    }
    const delay = micros(-1);
    expect(() => writeInitSegment([SOUND], { tracks: new Map([[1, { delay }]]) })).toThrow(error('malformed'));
    expect(() => writeInitSegment([{ ...VIDEO, description: hex('0142') }])).toThrow(error('truncated'));
  });
});

describe('fragments', () => {
  it('tell sizes and durations once where they are the same, and flags of the first picture apart', () => {
    const sample = { duration: 3600, compositionOffset: 0, data: Buffer.alloc(4) };
    const samples = [true, false, false, false].map((keyframe) => ({ ...sample, keyframe }));
    const usual = boxAt(bytesOf([run({ samples })]), 'moof', 'traf');
    expect(boxAt(usual, 'tfhd').toString('hex')).toBe('00020028' + '00000001' + '00000e10' + '01010000');
    expect(boxAt(usual, 'trun').toString('hex')).toBe(
      '01000205' +
        '00000004' +
        (usual.length + 8 + 8 + 16 + 8).toString(16).padStart(8, '0') +
        '02000000' +
        '00000004'.repeat(4),
    );
    const mixed = [{ ...sample, keyframe: false }, ...samples, { ...sample, keyframe: true, duration: 1 }];
    const unlike = boxAt(bytesOf([run({ samples: mixed })]), 'moof', 'traf');
    expect(boxAt(unlike, 'tfhd').readUInt32BE()).toBe(0x02_0000);
    expect(boxAt(unlike, 'trun').readUInt32BE()).toBe(0x0100_0701);
  });

  it('copy no data', () => {
    const data = [Buffer.alloc(5), Buffer.alloc(6)];
    const samples = data.map((bytes) => ({ duration: 1, compositionOffset: 0, keyframe: true, data: bytes }));
    const { pieces } = writeFragment([run({ samples })], { sequence: 1 });
    expect(pieces[1]).toBe(data[0]);
    expect(pieces[2]).toBe(data[1]);
  });

  it('count on past 32 bits, and say when they were live', () => {
    const at = 2 ** 33 + 5;
    const bytes = bytesOf([run({ baseDecodeTime: at })], {
      sequence: 2 ** 32 + 7,
      begins: 'chunk',
      wallClock: millis(1_500),
    });
    expect(readBoxes(bytes).map(({ type }) => type)).toEqual(['styp', 'prft', 'moof', 'mdat']);
    expect(boxAt(bytes, 'styp').toString('latin1')).toBe('msdh\0\0\0\0msdhmsixcmfl');
    expect(boxAt(bytes, 'moof', 'mfhd').readUInt32BE(4)).toBe(7);
    expect(boxAt(bytes, 'moof', 'traf', 'tfdt').toString('hex')).toBe('01000000' + '0000000200000005');
    // NTP counts from 1900: 2208988801.5 s.
    expect(boxAt(bytes, 'prft').toString('hex')).toBe(
      '01000008' + '00000001' + '83aa7e8180000000' + '0000000200000005',
    );
  });

  it('bring events along', () => {
    const events = [
      { scheme: EVENT_SCHEME.id3, time: micros(2_000_000), id: 9, data: Buffer.from('ID3x') },
      { scheme: EVENT_SCHEME.scte35, value: '1', time: micros(0), duration: micros(500_000), id: 1, data: hex('fc30') },
    ];
    const found = readBoxes(bytesOf([run()], { events })).filter(({ type }) => type === 'emsg');
    const fields = ['01000000', '00015f90', '000000000002bf20', 'ffffffff', '00000009'].join('');
    const strings = Buffer.from('https://aomedia.org/emsg/ID3\0\0ID3x').toString('hex');
    expect(found[0]?.payload.toString('hex')).toBe(fields + strings);
    expect(found[1]?.payload.readUInt32BE(16)).toBe(45_000);
    expect(found[1]?.payload.subarray(24)).toEqual(
      Buffer.concat([Buffer.from('urn:scte:scte35:2013:bin\0' + '1\0'), hex('fc30')]),
    );
  });

  it('are refused where a field can’t hold what they are', () => {
    const [sample] = run().samples;
    const withSample = (changes: object) => run({ samples: [{ ...sample!, ...changes }] });
    for (const wrong of [
      run({ samples: [] }),
      run({ baseDecodeTime: -1 }),
      run({ baseDecodeTime: 0.5 }),
      run({ baseDecodeTime: 2 ** 53 }),
      withSample({ duration: -1 }),
      withSample({ duration: 2 ** 32 }),
      withSample({ duration: Number.NaN }),
      withSample({ compositionOffset: 2 ** 31 }),
      withSample({ compositionOffset: 0.5 }),
      run({ subsamples: [[], []] }),
    ]) {
      expect(() => writeFragment([wrong], { sequence: 1 })).toThrow(error('malformed'));
    }
    expect(() => writeFragment([], { sequence: 1 })).toThrow(error('malformed'));
  });
});

describe('a fragment writer', () => {
  const push = (writer: FragmentWriter, samples: readonly Sample[]) => {
    for (const sample of samples) writer.push(sample);
  };
  const durations = (taken: TrackRun | undefined) => taken?.samples.map(({ duration }) => duration);

  it('holds one sample back, and says how long it would have', () => {
    const writer = new FragmentWriter(VIDEO);
    expect(writer.take()).toBeUndefined();
    push(writer, [picture(0, { keyframe: true })]);
    expect([writer.take(), writer.duration, writer.beginsWithKeyframe]).toEqual([undefined, 0, false]);
    push(writer, [picture(40_000), picture(80_000)]);
    expect([writer.duration, writer.beginsWithKeyframe]).toEqual([80_000, true]);
    expect(durations(writer.take())).toEqual([3600, 3600]);
    expect(writer.finish()).toMatchObject({ baseDecodeTime: 7200, samples: [{ duration: 3600 }] });
    expect(writer.finish()).toBeUndefined();
  });

  it('gives the last one, too, to who knows its end', () => {
    const writer = new FragmentWriter(VIDEO);
    push(writer, [picture(0), picture(40_000)]);
    expect(durations(writer.take(micros(90_000)))).toEqual([3600, 4500]);
    // It came earlier than was said: the time that is taken is taken.
    push(writer, [picture(80_000), picture(120_000)]);
    expect(writer.take()).toMatchObject({ baseDecodeTime: 8100, samples: [{ duration: 2700 }] });
    expect(() => writer.take(micros(120_000))).toThrow(error('malformed'));
    expect(durations(writer.take(micros(160_000)))).toEqual([3600]);
  });

  it('never drifts: over a day at 30000/1001 pictures a second, each stands where its own time says', () => {
    const writer = new FragmentWriter(VIDEO);
    const dtsOf = (frame: number) => Math.round((frame * 1_001_000_000) / 30_000);
    const step = 864;
    for (let frame = 0; frame < 2_592_000; ) {
      const first = Math.max(0, frame - step);
      for (let index = 0; index < 6; index++, frame += step) writer.push(picture(dtsOf(frame)));
      const taken = writer.take()!;
      expect(taken.baseDecodeTime).toBe(Math.round((dtsOf(first) * 9) / 100));
      const end = taken.baseDecodeTime + durations(taken)!.reduce((sum, duration) => sum + duration, 0);
      expect(Math.abs(end - (frame - step) * 3003)).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    ['44.1 kHz in milliseconds', SOUND_44, 44_100, 1000],
    ['48 kHz in milliseconds', SOUND, 48_000, 1000],
    ['48 kHz in ticks of 90 kHz', SOUND, 48_000, 11],
  ])('joins sound whose times are only rounded: %s', (_, config, rate, grid) => {
    const writer = new FragmentWriter(config);
    for (let index = 0; index < 20_000; index++) {
      writer.push(sound(Math.floor((index * 1024 * 1_000_000) / rate / grid) * grid));
    }
    expect(new Set(durations(writer.finish()))).toEqual(new Set([1024]));
  });

  it('follows sound that pauses, or whose clock goes wrong, within 2 ms', () => {
    const writer = new FragmentWriter(SOUND);
    push(writer, [sound(0), sound(21_333), sound(500_000), sound(521_333)]);
    expect(durations(writer.take())).toEqual([1024, 22_976, 1024]);
    // One part in a thousand too fast.
    const drifting = new FragmentWriter(SOUND);
    let at = 0;
    for (let index = 0; index < 5000; index++) {
      const dts = Math.round(index * 21_312);
      drifting.push(sound(dts));
      const taken = drifting.take();
      if (taken === undefined) continue;
      expect(Math.abs((taken.baseDecodeTime * 1000) / 48 - (index - 1) * 21_312)).toBeLessThanOrEqual(2011);
      expect(taken.baseDecodeTime).toBe(at);
      at += durations(taken)![0]!;
    }
  });

  it('knows how long frames of each codec last', () => {
    const opus = new FragmentWriter(OPUS);
    opus.push(sound(0, 3, hex('fc00')));
    expect(durations(opus.finish())).toEqual([960]);
    opus.push(sound(20_000, 3, Buffer.alloc(0)));
    expect(durations(opus.finish())).toEqual([960]);
    const sbr = new FragmentWriter(aacTrackConfig(1, hex('2b920800')));
    sbr.push(sound(0));
    expect([sbr.timescale, durations(sbr.finish())]).toEqual([44_100, [2048]]);
    const mp3: TrackConfig = { ...SOUND, codec: 'mp3', description: Buffer.alloc(0), sampleRate: 22_050 };
    const writer = new FragmentWriter(mp3);
    writer.push(sound(0, 1, hex('fff340c4')));
    expect(durations(writer.finish())).toEqual([576]);
    const lone = new FragmentWriter(VIDEO);
    lone.push(picture(0));
    expect(durations(lone.finish())).toEqual([3600]);
  });

  it('says what it was given wrongly, and goes on', () => {
    const writer = new FragmentWriter(VIDEO);
    push(writer, [picture(0), picture(40_000)]);
    expect(() => writer.push(sound(1))).toThrow(error('no-config'));
    expect(() => writer.push(picture(40_000))).toThrow(error('malformed'));
    expect(() => writer.push(picture(10_000))).toThrow(error('malformed'));
    // A tick is 11 µs: what is closer is put a tick later.
    push(writer, [picture(40_001), picture(80_000)]);
    expect(durations(writer.finish())).toEqual([3600, 1, 3599, 3599]);
  });
});

describe('times', () => {
  it('survive the way to ticks and back, wherever they stand', () => {
    const scale = fc.constantFrom(90_000, 48_000, 44_100, 22_050, 96_000, 1000);
    fc.assert(
      fc.property(scale, fc.integer({ min: -1_000_000_000, max: 2 ** 47 }), (timescale, ticks) => {
        expect(ticksFromMicros(microsFromTicks(ticks, timescale), timescale)).toBe(ticks);
      }),
    );
    expect(ticksFromMicros(micros(9_007_199_254_000_000), 90_000)).toBe(810_647_932_860_000);
  });
});
