import { describe, expect, it } from 'vitest';
import { buildOpusHead, opusPacketDuration, opusTrackConfig, parseOpusHead } from './opus.js';

const hex = (digits: string) => Buffer.from(digits, 'hex');
const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });

describe('OpusHead', () => {
  // As ffmpeg writes them for libopus.
  it.each([
    [1, '4f707573486561640101380180bb0000000000'],
    [2, '4f707573486561640102380180bb0000000000'],
    [3, '4f707573486561640103380180bb00000000010201000201'],
    [4, '4f707573486561640104380180bb0000000001020200010203'],
    [5, '4f707573486561640105380180bb000000000103020004010203'],
    [6, '4f707573486561640106380180bb00000000010402000401020305'],
    [7, '4f707573486561640107380180bb0000000001040300040102030506'],
    [8, '4f707573486561640108380180bb000000000105030006010203040507'],
  ])('of %i channels', (channels, digits) => {
    const head = hex(digits);
    const options = { channels, preSkip: 312, inputSampleRate: 48_000 };
    expect(parseOpusHead(head)).toEqual({ ...options, mappingFamily: channels > 2 ? 1 : 0 });
    expect(buildOpusHead(options)).toEqual(head);
    expect(opusTrackConfig(1, head)).toMatchObject({ codecString: 'opus', sampleRate: 48_000, channels });
    for (let end = 0; end < head.length; end++) {
      expect(() => parseOpusHead(head.subarray(0, end)), `cut at ${end}`).toThrow(error('truncated'));
    }
  });

  it('is refused where it makes no sense', () => {
    const changed = (at: number, value: number) => {
      const head = hex('4f707573486561640102380180bb0000000000');
      head[at] = value;
      return () => parseOpusHead(head);
    };
    expect(changed(0, 0x6f)).toThrow(error('malformed'));
    expect(changed(8, 16)).toThrow(error('unsupported'));
    expect(changed(8, 2)).not.toThrow();
    expect(changed(9, 0)).toThrow(error('malformed'));
    expect(changed(9, 3)).toThrow(error('malformed'));
    expect(changed(18, 1)).toThrow(error('truncated'));
    for (const channels of [0, 9, 255]) {
      expect(() => buildOpusHead({ channels, preSkip: 0, inputSampleRate: 48_000 })).toThrow(error('unsupported'));
    }
  });
});

describe('Opus packets', () => {
  // First bytes as libopus writes them, one for each frame duration that it has.
  it.each([
    ['e073f6', 2.5],
    ['e8b534', 5],
    ['f0b4d5', 10],
    ['f8b4af', 20],
    ['fafd0e', 40],
    ['fb83fd', 60],
    ['fb86fd', 120],
  ])('%s sounds for %d ms', (digits, milliseconds) => {
    expect(opusPacketDuration(hex(digits))).toBe(milliseconds * 1000);
  });

  it('have the durations of RFC 6716 table 2', () => {
    const durations = Array.from({ length: 32 }, (_, config) => opusPacketDuration(Buffer.from([config << 3])) / 1000);
    const silk = [10, 20, 40, 60];
    const celt = [2.5, 5, 10, 20];
    expect(durations).toEqual([...silk, ...silk, ...silk, 10, 20, 10, 20, ...celt, ...celt, ...celt, ...celt]);
    expect(opusPacketDuration(hex('01'))).toBe(20_000);
    expect(opusPacketDuration(hex('0383'))).toBe(30_000);
    expect(opusPacketDuration(hex('e330'))).toBe(120_000);
  });

  it('are refused where they would sound for no time, or too long', () => {
    expect(() => opusPacketDuration(hex('fb00'))).toThrow(error('malformed'));
    expect(() => opusPacketDuration(hex('1b3f'))).toThrow(error('malformed'));
    expect(() => opusPacketDuration(hex('fb07'))).toThrow(error('malformed'));
    expect(() => opusPacketDuration(hex('fb'))).toThrow(error('truncated'));
    expect(() => opusPacketDuration(Buffer.alloc(0))).toThrow(error('truncated'));
  });
});
