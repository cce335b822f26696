import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adtsHeader, parseAudioSpecificConfig } from '../codecs/aac.js';
import { parseAvcC } from '../codecs/h264.js';
import { joinAnnexB, joinLengthPrefixed } from '../codecs/nal.js';
import { MediaError } from '../errors.js';
import type { Sample } from '../sample.js';
import { type Micros, micros } from '../time.js';
import type { ElementaryReader } from './elementary-reader.js';
import type { TsEvent } from './events.js';
import { FramedAudioReader } from './framed-audio-reader.js';
import { NalReader } from './nal-reader.js';
import { OpusReader } from './opus-reader.js';

const hex = (text: string) => Buffer.from(text, 'hex');
const at = (ms: number): Micros => micros(ms * 1000);
const samplesOf = (events: readonly TsEvent[]): Sample[] =>
  events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
const configsOf = (events: readonly TsEvent[]) =>
  events.flatMap((event) => (event.type === 'config' ? [event.config] : []));

/** Reads payloads, each with its time or none; errors are counted. */
function readAll(reader: ElementaryReader, payloads: readonly (readonly [number | undefined, Buffer])[]) {
  const events: TsEvent[] = [];
  const errors: string[] = [];
  for (const [ms, data] of payloads) {
    const time = ms === undefined ? undefined : at(ms);
    try {
      reader.read({ pts: time, dts: time, data }, events);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      errors.push(error.code);
    }
  }
  return { events, errors, samples: samplesOf(events), configs: configsOf(events) };
}

describe('H.264 access units', () => {
  const sps = hex('6742c00cda05067e7c0440000003004000000c83c50aa8');
  const otherSps = hex('6742c01eda0280bfe5c044000003000400000300c83c58ba80');
  const pps = hex('68ce0fc8');
  const secondPps = hex('685388');
  const aud = hex('09f0');
  const idr = hex('65888400');
  const slice = hex('419a0011');
  const unit = (...units: Buffer[]) => joinAnnexB(units);
  const descriptionSets = (events: readonly TsEvent[], index: number) => {
    const { sps: s, pps: p } = parseAvcC(configsOf(events)[index]!.description);
    return [...s, ...p].map((set) => set.toString('hex'));
  };

  it('become samples without delimiters and parameter sets, and a configuration', () => {
    const { samples, configs } = readAll(new NalReader(0, 'h264'), [
      [0, unit(aud, sps, pps, idr)],
      [40, unit(aud, slice)],
    ]);
    expect(configs).toMatchObject([{ codec: 'h264', width: 320, height: 180 }]);
    expect(samples.map(({ keyframe, data }) => [keyframe, data])).toEqual([
      [true, joinLengthPrefixed([idr.subarray(0, 3)])],
      [false, joinLengthPrefixed([slice])],
    ]);
  });

  it('before their configuration are left out, and the sets may come apart', () => {
    const { samples, events } = readAll(new NalReader(0, 'h264'), [
      [0, unit(slice)],
      [40, unit(sps)],
      [80, unit(pps, idr)],
    ]);
    expect(samples.map((s) => s.dts)).toEqual([at(80)]);
    expect(events[0]?.type).toBe('config');
  });

  it('that repeat their sets give one configuration, and another one when they change', () => {
    const { configs, events } = readAll(new NalReader(0, 'h264'), [
      [0, unit(sps, pps, idr)],
      [40, unit(sps, pps, idr)],
      [80, unit(otherSps, pps, idr)],
    ]);
    expect(configs.map((config) => config.kind === 'video' && config.width)).toEqual([320, 640]);
    expect(events.map((event) => event.type)).toEqual(['config', 'sample', 'sample', 'config', 'sample']);
  });

  it('may add a PPS by itself, which joins those that are there', () => {
    const { events } = readAll(new NalReader(0, 'h264'), [
      [0, unit(sps, pps, idr)],
      [40, unit(secondPps, slice)],
      [80, unit(pps, slice)],
    ]);
    expect(configsOf(events).length).toBe(2);
    expect(descriptionSets(events, 1)).toEqual([sps, pps, secondPps].map((set) => set.toString('hex')));
  });

  it('with broken sets cost that access unit only', () => {
    const { samples, errors, configs } = readAll(new NalReader(0, 'h264'), [
      [0, unit(sps, pps, idr)],
      [40, unit(hex('6742c0'), pps, idr)],
      [80, unit(Buffer.concat([sps, Buffer.alloc(5000, 1)]), pps, idr)],
      [120, unit(slice)],
    ]);
    expect(errors).toEqual(['malformed', 'too-large']);
    expect(configs.length).toBe(1);
    expect(samples.map((s) => s.dts)).toEqual([at(0), at(120)]);
  });

  it('without a time are refused, and never shown before they are decoded', () => {
    const reader = new NalReader(0, 'h264');
    expect(
      readAll(reader, [
        [0, unit(sps, pps, idr)],
        [undefined, unit(slice)],
      ]).errors,
    ).toEqual(['unsupported']);
    const events: TsEvent[] = [];
    reader.read({ pts: at(10), dts: at(50), data: unit(slice) }, events);
    expect(samplesOf(events)).toMatchObject([{ dts: at(50), pts: at(50) }]);
  });

  it('of more NAL units than any encoder makes are refused before they are split', () => {
    const bomb = Buffer.alloc(4 * 5000, hex('00000101'));
    expect(readAll(new NalReader(0, 'h264'), [[0, bomb]]).errors).toEqual(['too-large']);
  });
});

describe('HEVC access units', () => {
  it('need a VPS too', () => {
    const sps = hex('420101016000000300900000030000030078a00a0821165ba4a4c2f0168020000003002000000303c1');
    const pps = hex('4401c172b46240');
    const vps = hex('40010c01ffff016000000300900000030000030078959809');
    const idr = hex('2601af0880');
    const { configs, samples } = readAll(new NalReader(0, 'hevc'), [
      [0, joinAnnexB([sps, pps, idr])],
      [40, joinAnnexB([vps, idr])],
    ]);
    expect(configs.map((config) => config.codecString)).toEqual(['hvc1.1.6.L120.90']);
    expect(samples).toMatchObject([{ dts: at(40), keyframe: true }]);
  });
});

describe('audio frames', () => {
  const asc = parseAudioSpecificConfig(hex('1190'));
  /** An AAC frame; its payload has bytes that look like a sync word. */
  const aac = (fill: number, length = 60) =>
    Buffer.concat([adtsHeader(asc, length), hex('fff1'), Buffer.alloc(length - 2, fill)]);
  const frames = [1, 2, 3, 4, 5, 6].map((fill) => aac(fill));
  const stream = Buffer.concat(frames);
  const frameTime = (index: number) => Math.round((index * 1024 * 1_000_000) / 48_000);
  /** 128 kbit/s at 44.1 kHz: 417 bytes. */
  const mp3 = (fill: number) => Buffer.concat([hex('fffb9000'), Buffer.alloc(413, fill)]);

  it('are told apart in one PES packet, with times counted in samples', () => {
    const { samples, configs, errors } = readAll(new FramedAudioReader(1, 'adts'), [[100, stream]]);
    expect(configs).toMatchObject([{ codec: 'aac', codecString: 'mp4a.40.2', sampleRate: 48_000, channels: 2 }]);
    expect(samples.map((s) => s.data)).toEqual(frames.map((frame) => frame.subarray(7)));
    expect(samples.map((s) => s.dts)).toEqual(frames.map((_, i) => 100_000 + frameTime(i)));
    expect(errors).toEqual([]);
  });

  it('may be cut anywhere by PES packets, and times are those of frames that begin in them', () => {
    for (let cut = 1; cut < stream.length; cut++) {
      const beginning = Math.ceil(cut / 67);
      const second = 500;
      const { samples, errors } = readAll(new FramedAudioReader(1, 'adts'), [
        [100, stream.subarray(0, cut)],
        [second, stream.subarray(cut)],
      ]);
      expect(errors).toEqual([]);
      expect(samples.map((s) => s.data)).toEqual(frames.map((frame) => frame.subarray(7)));
      expect(samples.map((s) => s.dts)).toEqual(
        frames.map((_, i) => (i < beginning ? 100_000 + frameTime(i) : 500_000 + frameTime(i - beginning))),
      );
    }
  });

  it('give the same in many small PES packets without times', () => {
    const payloads = Array.from({ length: Math.ceil(stream.length / 5) }, (_, i): [number | undefined, Buffer] => [
      i === 0 ? 0 : undefined,
      stream.subarray(i * 5, i * 5 + 5),
    ]);
    const { samples } = readAll(new FramedAudioReader(1, 'adts'), payloads);
    expect(samples.map((s) => s.dts)).toEqual(frames.map((_, i) => frameTime(i)));
  });

  it('are found again behind a loss, without believing what only looks like one', () => {
    const reader = new FramedAudioReader(1, 'adts');
    const before = readAll(reader, [[0, Buffer.concat([frames[0]!, frames[1]!.subarray(0, 30)])]]);
    expect(before.samples.length).toBe(1);
    reader.reset();
    // The rest of a frame: it begins with a false sync word of another rate, whose frame ends inside the payload.
    const falseFrame = Buffer.concat([hex('fff150800220fc'), Buffer.alloc(10, 3)]);
    const after = readAll(reader, [[200, Buffer.concat([falseFrame, Buffer.alloc(40, 9), frames[2]!, frames[3]!])]]);
    expect(after.configs).toEqual([]);
    expect(after.samples.map((s) => s.data)).toEqual([frames[2]!.subarray(7), frames[3]!.subarray(7)]);
    expect(after.samples[0]!.dts).toBe(at(200));
  });

  it('have no time until a PES packet tells one', () => {
    const { samples } = readAll(new FramedAudioReader(1, 'adts'), [
      [undefined, frames[0]!],
      [50, frames[1]!],
    ]);
    expect(samples.map((s) => s.dts)).toEqual([at(50)]);
  });

  it('of MP3 are read with their headers', () => {
    const { samples, configs } = readAll(new FramedAudioReader(1, 'mp3'), [[0, Buffer.concat([mp3(1), mp3(2)])]]);
    expect(configs).toMatchObject([{ codec: 'mp3', sampleRate: 44_100, channels: 2 }]);
    expect(samples.map((s) => [s.dts, s.data])).toEqual([
      [0, mp3(1)],
      [26_122, mp3(2)],
    ]);
  });

  it('of MPEG layer II are refused with the way out, not taken for MP3', () => {
    const layer2 = Buffer.concat([hex('fffd8000'), Buffer.alloc(380, 1)]);
    const reader = new FramedAudioReader(1, 'mp3');
    const events: TsEvent[] = [];
    expect(() => reader.read({ pts: at(0), dts: at(0), data: layer2 }, events)).toThrow(/layer 2; send AAC or MP3/);
    expect(events).toEqual([]);
  });

  it('cost little to look for in what is none', () => {
    const tell = (fill: string) => {
      const started = performance.now();
      const reader = new FramedAudioReader(1, 'adts');
      for (let i = 0; i < 16; i++) readAll(reader, [[i, Buffer.alloc(65_536, hex(fill))]]);
      return performance.now() - started;
    };
    // An exception for each byte would take seconds.
    for (const fill of ['00', 'ff', 'fff1', 'fff14c', 'fff150800100fc']) expect(tell(fill)).toBeLessThan(1000);
  });

  it('throw nothing but MediaError, however they are changed and cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('adts' as const, 'mp3' as const),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 10 }),
        (format, mutations, sizes) => {
          const bytes = Buffer.from(format === 'adts' ? stream : Buffer.concat([mp3(1), mp3(2)]));
          for (const [position, value] of mutations) bytes[position] = value;
          const reader = new FramedAudioReader(1, format);
          let from = 0;
          for (const size of [...sizes, bytes.length]) {
            readAll(reader, [[from, bytes.subarray(from, from + size)]]);
            from += size;
          }
        },
      ),
    );
  });
});

describe('Opus packets', () => {
  /** 20 ms of CELT. */
  const packet = Buffer.concat([hex('fc'), Buffer.alloc(299, 5)]);
  const head = hex('7fe0ff2d');
  const trimmed = hex('7ff8ff2d00100020');
  const extended = hex('7fe4ff2d03aabbcc');

  it('are read behind control headers of each form', () => {
    const data = Buffer.concat([head, packet, trimmed, packet, extended, packet]);
    const { samples, configs, errors } = readAll(new OpusReader(1, 2), [[10, data]]);
    expect(errors).toEqual([]);
    expect(configs).toMatchObject([{ codec: 'opus', channels: 2, sampleRate: 48_000 }]);
    expect(samples.map((s) => [s.dts, s.data])).toEqual([
      [at(10), packet],
      [at(30), packet],
      [at(50), packet],
    ]);
  });

  it('that are whole are kept where the next one is broken, and their configuration too', () => {
    const { samples, configs, errors } = readAll(new OpusReader(1, 2), [[0, Buffer.concat([head, packet, head])]]);
    expect([configs.length, samples.length, errors]).toEqual([1, 1, ['truncated']]);
    expect(readAll(new OpusReader(1, 2), [[0, Buffer.from('none')]]).errors).toEqual(['malformed']);
    expect(readAll(new OpusReader(1, 2), [[undefined, packet]]).errors).toEqual(['unsupported']);
  });

  it('throw nothing but MediaError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        readAll(new OpusReader(1, 2), [[0, Buffer.concat([hex('7f'), Buffer.from(bytes)])]]);
      }),
    );
  });
});
