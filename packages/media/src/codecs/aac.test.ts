import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aacTrackConfig,
  adtsHeader,
  buildAudioSpecificConfig,
  parseAdtsHeader,
  parseAudioSpecificConfig,
} from './aac.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

describe('AudioSpecificConfig', () => {
  it.each([
    ['LC', '1190', 'mp4a.40.2', 48_000, 2, 'LC'],
    ['LC, mono', '1388', 'mp4a.40.2', 22_050, 1, 'LC'],
    [
      'LC, as ffmpeg writes it: an extension that says that there is no SBR',
      '119056e500',
      'mp4a.40.2',
      48_000,
      2,
      'LC',
    ],
    ['LC, at a rate that is written out', '178056ce10', 'mp4a.40.2', 44_444, 2, 'LC'],
    ['SBR', '2b920800', 'mp4a.40.5', 44_100, 2, 'HE-AAC'],
    ['SBR and PS', 'eb8a0800', 'mp4a.40.29', 44_100, 2, 'HE-AACv2'],
    ['SBR behind the configuration', '139056e5a0', 'mp4a.40.5', 44_100, 2, 'HE-AAC'],
    ['SBR and PS behind it', '138856e5a54880', 'mp4a.40.29', 44_100, 2, 'HE-AACv2'],
    ['SBR behind it and no PS', '138856e5a54800', 'mp4a.40.5', 44_100, 1, 'HE-AAC'],
    ['5.1', '11b056e500', 'mp4a.40.2', 48_000, 6, 'LC'],
    ['7.1', '11b856e500', 'mp4a.40.2', 48_000, 8, 'LC'],
    ['7.1, back', '11e0', 'mp4a.40.2', 48_000, 8, 'LC'],
    [
      'quadraphonic, by a program config element',
      '118004c4040021100d4c61766335392e33372e31303056e500',
      'mp4a.40.2',
      48_000,
      4,
      'LC',
    ],
    [
      '7.1 wide, by a program config element',
      '118004c848002000c6400d4c61766335392e33372e31303056e500',
      'mp4a.40.2',
      48_000,
      8,
      'LC',
    ],
    ['channels that only the stream tells', '1180', 'mp4a.40.2', 48_000, 0, 'LC'],
    ['ELD', 'f8e85000', 'mp4a.40.39', 44_100, 2, 'ELD'],
  ])('%s', (_, digits, codecString, sampleRate, channels, profile) => {
    const asc = hex(digits);
    const config = aacTrackConfig(1, asc);
    expect(config).toMatchObject({ codecString, sampleRate, channels, profile });
    expect(config.description).toBe(asc);
  });

  it('is read through all that a program config element may have, to the extension behind it', () => {
    const u = (value: number, count: number) => value.toString(2).padStart(count, '0');
    // Two front elements, one at the side, one at the back, one LFE, one data element, one coupling channel.
    const counts = [u(2, 4), u(1, 4), u(1, 4), u(1, 2), u(1, 3), u(1, 4)];
    const mixdowns = ['1', u(5, 4), '1', u(6, 4), '1', u(5, 3)];
    const elements = ['0', u(0, 4), '1', u(0, 4), '1', u(1, 4), '0', u(1, 4), u(0, 4), u(0, 4), '1', u(0, 4)];
    const config = [
      u(2, 5),
      u(6, 4),
      u(0, 4),
      '000',
      u(0, 4),
      u(1, 2),
      u(6, 4),
      ...counts,
      ...mixdowns,
      ...elements,
    ].join('');
    const aligned = config.padEnd(Math.ceil(config.length / 8) * 8, '0');
    const extension = [u(0x2b7, 11), u(5, 5), '1', u(3, 4), '000'];
    const bits = [aligned, u(2, 8), u(0xabcd, 16), ...extension].join('');
    const asc = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
    expect(config.length % 8).not.toBe(0);
    expect(aacTrackConfig(1, asc)).toMatchObject({ channels: 7, sampleRate: 48_000, profile: 'HE-AAC' });
  });

  it('tells the core under SBR', () => {
    const expected = {
      objectType: 2,
      sampleRate: 22_050,
      sbr: true,
      extensionSampleRate: 44_100,
      samplesPerFrame: 1024,
    };
    expect(parseAudioSpecificConfig(hex('2b920800'))).toMatchObject({ ...expected, ps: false, channels: 2 });
    expect(parseAudioSpecificConfig(hex('138856e5a54880'))).toMatchObject({ ...expected, ps: true, channels: 1 });
  });

  it('tells the length of frames', () => {
    expect(parseAudioSpecificConfig(hex('1194')).samplesPerFrame).toBe(960);
    expect(parseAudioSpecificConfig(hex('ba10')).samplesPerFrame).toBe(512);
    expect(parseAudioSpecificConfig(hex('ba14')).samplesPerFrame).toBe(480);
    expect(parseAudioSpecificConfig(hex('f8e85000')).samplesPerFrame).toBe(480);
    expect(parseAudioSpecificConfig(hex('f8e84000')).samplesPerFrame).toBe(512);
  });

  it('is refused where it is none, or no AAC', () => {
    expect(() => parseAudioSpecificConfig(hex('11'))).toThrow(error('truncated'));
    expect(() => parseAudioSpecificConfig(hex('1690'))).toThrow(error('malformed'));
    expect(() => parseAudioSpecificConfig(hex('17800000' + '10'))).toThrow(error('malformed'));
    expect(() => parseAudioSpecificConfig(hex('0000'))).toThrow(error('unsupported'));
    expect(() => parseAudioSpecificConfig(hex('11c0'))).toThrow(error('unsupported'));
    // MP3 in MPEG-4 (34) and ALS (36)
    expect(() => parseAudioSpecificConfig(hex('f8490000'))).toThrow(error('unsupported'));
    expect(() => parseAudioSpecificConfig(hex('f8890000'))).toThrow(error('unsupported'));
  });

  it('is built of two bytes, for what fits into them', () => {
    const options = { objectType: 2, sampleRate: 48_000, channelConfiguration: 2 };
    expect(buildAudioSpecificConfig(options)).toEqual(hex('1190'));
    expect(() => buildAudioSpecificConfig({ ...options, sampleRate: 44_444 })).toThrow(error('unsupported'));
    expect(() => buildAudioSpecificConfig({ ...options, objectType: 39 })).toThrow(error('unsupported'));
    expect(() => buildAudioSpecificConfig({ ...options, channelConfiguration: 9 })).toThrow(error('unsupported'));
  });
});

describe('ADTS', () => {
  it('comes back from what an AudioSpecificConfig says', () => {
    const rates = [
      96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ];
    const options = fc.record({
      objectType: fc.integer({ min: 1, max: 4 }),
      sampleRate: fc.constantFrom(...rates),
      channelConfiguration: fc.nat(7),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 8184 }), fc.nat(5), (config, payload, offset) => {
        const asc = parseAudioSpecificConfig(buildAudioSpecificConfig(config));
        const bytes = Buffer.concat([Buffer.alloc(offset, 0xaa), adtsHeader(asc, payload)]);
        expect(parseAdtsHeader(bytes, offset)).toEqual({ ...config, headerLength: 7, frameLength: payload + 7 });
      }),
    );
  });

  it('is incomplete until its 7th byte', () => {
    const header = hex('fff150802b3ffc');
    for (let end = 0; end < 7; end++) expect(parseAdtsHeader(header.subarray(0, end))).toBeUndefined();
    expect(parseAdtsHeader(header)).toMatchObject({ sampleRate: 44_100, channelConfiguration: 2, frameLength: 345 });
    // With a checksum
    expect(parseAdtsHeader(hex('fff050802b3ffc'))).toMatchObject({ headerLength: 9, frameLength: 345 });
  });

  it('is refused where it lies', () => {
    expect(() => parseAdtsHeader(hex('fee150802b3ffc'))).toThrow(error('malformed'));
    expect(() => parseAdtsHeader(hex('fff350802b3ffc'))).toThrow(error('malformed'));
    expect(() => parseAdtsHeader(hex('fff174802b3ffc'))).toThrow(error('malformed'));
    expect(() => parseAdtsHeader(hex('fff1508000fffc'))).toThrow(error('malformed'));
    expect(() => parseAdtsHeader(hex('fff150802b3ffd'))).toThrow(error('unsupported'));
  });

  it('is not written for what it can not tell', () => {
    const asc = parseAudioSpecificConfig(hex('1190'));
    expect(adtsHeader(asc, 8184)).toHaveLength(7);
    expect(() => adtsHeader(asc, 8185)).toThrow(error('too-large'));
    expect(() => adtsHeader(parseAudioSpecificConfig(hex('178056ce10')), 100)).toThrow(error('unsupported'));
    expect(() => adtsHeader(parseAudioSpecificConfig(hex('11e0')), 100)).toThrow(error('unsupported'));
  });
});
