import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captioned, captionUnit, cea608, construct, HELLO } from '../../../../test/support/captions.js';
import { demux, type Media, packaged } from '../cmaf/testing/packaged.js';
import { joinLengthPrefixed } from '../codecs/nal.js';
import { MediaError } from '../errors.js';
import { FlvMuxer } from '../flv/muxer.js';
import { TsMuxer } from '../mpegts/muxer.js';
import type { Sample } from '../sample.js';
import { micros } from '../time.js';
import { captionsIn } from './captions.js';

const run = promisify(execFile);
const NONE = { CC1: false, CC2: false, CC3: false, CC4: false };

const pictureOf = (...units: Buffer[]): Sample => ({
  track: 0,
  kind: 'video',
  dts: micros(0),
  pts: micros(0),
  keyframe: true,
  data: joinLengthPrefixed([...units, Buffer.from([0x65, 1, 2, 3])]),
});

describe('captionsIn', () => {
  it.each([
    ['CC1', 0x14, 0],
    ['CC2', 0x1c, 0],
    ['CC3', 0x15, 1],
    ['CC4', 0x1d, 1],
  ] as const)('finds %s by its commands', (channel, command, field) => {
    const sample = pictureOf(captionUnit([cea608(command, 0x25, field)]));
    expect(captionsIn(sample, 'h264')).toEqual({ isPresent: true, cea608: { ...NONE, [channel]: true }, cea708: [] });
  });

  it('finds nothing in padding, text, XDS, constructs that are not valid, and other user data', () => {
    const padding = captionUnit([cea608(0, 0), cea608(0x48, 0x49), cea608(0x01, 0x05, 1), [0xf8, 0x94, 0x25]]);
    const other = Buffer.from([6, 5, 3, 1, 2, 3, 4, 4, 0xb5, 0, 0x3c, 9, 0x80]);
    expect(captionsIn(pictureOf(padding, other), 'h264')).toEqual({ isPresent: true, cea608: NONE, cea708: [] });
    expect(captionsIn(pictureOf(other), 'h264').isPresent).toBe(false);
  });

  it('finds the services of CEA-708, extended ones too', () => {
    const packet = [0x05, (1 << 5) | 2, 0x41, 0x42, (2 << 5) | 1, 0x43, (7 << 5) | 1, 9, 0x44, 0];
    const pairs = [construct(3, packet[0] ?? 0, packet[1] ?? 0)];
    for (let at = 2; at < packet.length; at += 2) pairs.push(construct(2, packet[at] ?? 0, packet[at + 1] ?? 0));
    expect(captionsIn(pictureOf(captionUnit(pairs)), 'h264').cea708).toEqual([1, 2, 9]);
    expect(captionsIn(pictureOf(captionUnit(pairs, 'hevc')), 'hevc').cea708).toEqual([1, 2, 9]);
    // The rest of a packet, the beginning of which came with another picture.
    expect(captionsIn(pictureOf(captionUnit(pairs.slice(1))), 'h264').cea708).toEqual([]);
  });

  it('says what is wrong with SEI that lies about its length', () => {
    const lying = Buffer.from([6, 4, 200, 0xb5, 0, 0x31]);
    expect(() => captionsIn(pictureOf(lying), 'h264')).toThrow(expect.objectContaining({ code: 'truncated' }));
    expect(() => captionsIn(pictureOf(Buffer.from([6, 0xff, 0xff])), 'h264')).toThrow(MediaError);
  });

  it('bears anything', () => {
    const head = fc.constantFrom([6, 4, 20, 0xb5, 0, 0x31, 0x47, 0x41, 0x39, 0x34, 3], [6, 4, 0xff], [6], []);
    fc.assert(
      fc.property(head, fc.array(fc.nat(255), { maxLength: 60 }), fc.boolean(), (start, rest, isBare) => {
        const unit = Buffer.from([...start, ...rest]);
        const sample = pictureOf(unit);
        try {
          captionsIn(isBare ? { ...sample, data: unit } : sample, 'h264');
        } catch (error) {
          expect(error).toBeInstanceOf(MediaError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('captions on their way through', () => {
  async function captionedClip(directory: string): Promise<Media> {
    const file = join(directory, 'plain.flv');
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=128x72:rate=25:duration=2'];
    await run('ffmpeg', ['-v', 'error', ...source, '-c:v', 'libx264', '-bf', '0', '-g', '25', file]);
    const clip = demux(await readFile(file), 'flv');
    return {
      ...clip,
      samples: clip.samples.map((sample, index) => captioned(sample, [HELLO[index - 5] ?? cea608(0, 0)])),
    };
  }

  const writers = {
    mpegts: ({ configs, samples }: Media) => {
      const muxer = new TsMuxer(configs);
      return Buffer.concat([muxer.tables(), ...samples.map((sample) => muxer.sample(sample))]);
    },
    flv: ({ configs, samples }: Media) => {
      const muxer = new FlvMuxer(configs);
      return Buffer.concat([muxer.header(), ...samples.map((sample) => muxer.sample(sample))]);
    },
    mp4: (media: Media) => Buffer.concat(packaged(media)),
  };

  it.each(['mpegts', 'flv', 'mp4'] as const)('are still there in %s, to us and to ffmpeg', async (format) => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-captions-'));
    const bytes = writers[format](await captionedClip(directory));
    const found = demux(bytes, format).samples.filter((sample) => captionsIn(sample, 'h264').cea608.CC1);
    expect(found).toHaveLength(4);
    const file = join(directory, `captioned.${format}`);
    await writeFile(file, bytes);
    const input = ['-f', 'lavfi', '-i', `movie=${file}[out0+subcc]`];
    const { stdout } = await run('ffmpeg', ['-v', 'error', ...input, '-map', '0:s', '-f', 'srt', '-']);
    expect(stdout).toMatch(/HELLO/);
    await rm(directory, { recursive: true });
  });
});
