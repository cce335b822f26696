import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import { aacTrackConfig, parseAdtsHeader, parseAudioSpecificConfig } from './aac.js';
import { av1TrackConfig, buildAv1C, splitObus, stripTemporalDelimiters } from './av1.js';
import { buildAvcC, h264TrackConfig, isH264Keyframe, parseH264Sps } from './h264.js';
import { buildHvcC, hevcTrackConfig, isHevcKeyframe, parseHevcSps } from './hevc.js';
import { mp3TrackConfig } from './mp3.js';
import { removeEmulationPrevention, splitAnnexB, splitLengthPrefixed, withFourByteLengths } from './nal.js';
import { opusPacketDuration, opusTrackConfig } from './opus.js';
import { vp8TrackConfig } from './vp8.js';
import { parseVp9FrameHeader, vp9KeyframeConfig, vp9TrackConfig } from './vp9.js';

const H264_SPS = '6764001facd940a02ff9701100000303e90001d4c0604000f424001e84a4d38078c18cb0';
const HEVC_SPS = '42010101600000030090000003000003003ca00a080c1f3e5999929385e02d0100000303e90000753008';
const HEVC_FIELDS = '4201010408000003004d0800000300003cb00a880c1c445b6595952930bc05a1a000000300200000030321';
const HVCC = buildHvcC(
  [Buffer.from('40010c01ffff01600000030090000003000003003c959409', 'hex')],
  [Buffer.from(HEVC_SPS, 'hex')],
  [Buffer.from('4401c073c189', 'hex')],
).toString('hex');

/** Each parser with something that it reads well, from which the damage starts. */
const PARSERS: readonly [name: string, parse: (bytes: Buffer) => unknown, ...seeds: string[]][] = [
  [
    'avcC',
    (bytes) => h264TrackConfig(0, bytes),
    '0164001fffe100246764001facd940a02ff9701100000303e90001d4c0604000f424001e84a4d38078c18cb001000568ef8fcc03fdf8f800',
    '017a000dffe1001a677a000db6cb40a8cf111780880000030008000003019078a15501000468ce0fc8fefafa00',
  ],
  ['H.264 SPS', parseH264Sps, H264_SPS],
  ['avcC from an SPS', (bytes) => buildAvcC([bytes], [bytes]), H264_SPS],
  ['hvcC', (bytes) => hevcTrackConfig(0, bytes), HVCC],
  ['HEVC SPS', parseHevcSps, HEVC_SPS, HEVC_FIELDS],
  ['hvcC from an SPS', (bytes) => buildHvcC([bytes], [bytes], [bytes]), HEVC_SPS, HEVC_FIELDS],
  [
    'av1C',
    (bytes) => av1TrackConfig(0, bytes),
    '81050c000a0b0000002d4cffb3c02f8004',
    '812040000a0a200000043cfeccdaf942',
  ],
  ['av1C from a sequence header', buildAv1C, '0a0b0000002d4cffb3c02f8004'],
  ['OBUs', splitObus, '12000a0b0000002d4cffb3c02f8004320410203040'],
  ['OBUs without delimiters', stripTemporalDelimiters, '12000a0b0000002d4cffb3c02f8004320410203040'],
  ['vpcC', (bytes) => vp9TrackConfig(0, bytes), '01000000010b860202020000'],
  ['VP9 frame', parseVp9FrameHeader, '824983420013f00b360000'],
  ['VP9 keyframe', (bytes) => vp9KeyframeConfig(0, bytes), '824983420013f00b360000', 'a24983421013f00b360000'],
  ['VP8 keyframe', (bytes) => vp8TrackConfig(0, bytes), 'd01a009d012a80026801'],
  [
    'AudioSpecificConfig',
    (bytes) => aacTrackConfig(1, bytes),
    '138856e5a54880',
    '118004c848002000c6400d4c61766335392e33372e31303056e500',
    'eb8a0800',
    'f8e85000',
  ],
  ['core of an AudioSpecificConfig', parseAudioSpecificConfig, '178056ce10'],
  ['ADTS', (bytes) => parseAdtsHeader(bytes), 'fff150802b3ffcde02004c61'],
  ['MP3 frame', (bytes) => mp3TrackConfig(1, bytes), 'fffb10c4', 'ffe348c4'],
  ['OpusHead', (bytes) => opusTrackConfig(1, bytes), '4f707573486561640106380180bb00000000010402000401020305'],
  ['Opus packet', opusPacketDuration, 'fb86fd10', 'e0'],
  ['NAL units', (bytes) => isH264Keyframe(splitLengthPrefixed(bytes, 4)), '0000000209f00000000365aabb'],
  ['NAL units of short lengths', (bytes) => withFourByteLengths(bytes, 2), '000209f0000365aabb'],
  ['Annex B', (bytes) => isHevcKeyframe(splitAnnexB(bytes)), '0000000109f000000165aabb0000'],
  ['emulation prevention', removeEmulationPrevention, '6500000301000003'],
];

/** Undefined where it threw what it may. */
function attempt(parse: (bytes: Buffer) => unknown, bytes: Buffer): unknown {
  try {
    return parse(bytes);
  } catch (error) {
    expect(error, bytes.toString('hex')).toBeInstanceOf(MediaError);
    return undefined;
  }
}

describe.each(PARSERS)('%s: nothing but MediaError is thrown', (_, parse, ...digits) => {
  const seeds = digits.map((seed) => Buffer.from(seed, 'hex'));

  it('for what it was made for, nothing at all', () => {
    for (const seed of seeds) expect(() => parse(seed)).not.toThrow();
  });

  it('for every cut and every changed bit', () => {
    for (const seed of seeds) {
      for (let end = 0; end < seed.length; end++) attempt(parse, seed.subarray(0, end));
      for (let bit = 0; bit < seed.length * 8; bit++) {
        const bytes = Buffer.from(seed);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        attempt(parse, bytes);
      }
    }
  });

  it('for many changes, and for any bytes', () => {
    const change = fc.tuple(fc.nat(200), fc.oneof(fc.nat(255), fc.constantFrom(0, 0xff, 0x80, 1)));
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(change, { maxLength: 8 }), fc.nat(8), (seed, changes, tail) => {
        const bytes = Buffer.concat([seed, Buffer.alloc(tail, 0xff)]);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        attempt(parse, bytes);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        attempt(parse, Buffer.from(bytes));
      }),
      { numRuns: 200 },
    );
  });
});

it('whatever makes a configuration, it is one that containers can hold', () => {
  const configs = PARSERS.filter(([name]) => ['avcC', 'hvcC', 'av1C', 'vpcC'].includes(name));
  for (const [name, parse, ...digits] of configs) {
    const change = fc.tuple(fc.nat(200), fc.nat(255));
    fc.assert(
      fc.property(fc.constantFrom(...digits), fc.array(change, { maxLength: 3 }), (seed, changes) => {
        const bytes = Buffer.from(seed, 'hex');
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const config = attempt(parse, bytes) as ReturnType<typeof h264TrackConfig> | undefined;
        if (config === undefined) return;
        expect(config.codecString).toMatch(/^(avc1\.[0-9a-f]{6}|hvc1\.[0-9A-CFHL.a-f]+|av01\.[\d.HM]+|vp09\.[\d.]+)/i);
        const least = name === 'vpcC' ? 0 : 1;
        for (const side of [config.width, config.height]) {
          expect(Number.isInteger(side) && side >= least && side <= 65_536).toBe(true);
        }
        if (config.frameRate !== undefined) expect(config.frameRate > 0 && config.frameRate <= 300).toBe(true);
      }),
      { numRuns: 500 },
    );
  }
});
