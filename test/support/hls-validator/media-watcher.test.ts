import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, testPicture, testSound } from '../ffmpeg.js';
import { type FragmentedClip, fragmentedClip } from './low-latency-origin.js';
import type { MediaPlaylist } from './media-playlist.js';
import { type LoadedSegment, MediaWatcher } from './media-watcher.js';
import { parsePlaylist } from './parse.js';
import { MEDIA_FILE_RULES } from './rules.js';

const PARTS = 5;

const PLAYLIST = parsePlaylist(`#EXTM3U
#EXT-X-TARGETDURATION:1
${[0, 1, 2]
  .map((number) => {
    const parts = [0, 1, 2, 3, 4].map(
      (part) => `#EXT-X-PART:DURATION=0.2,URI="${number}.${part}.m4s"${part === 0 ? ',INDEPENDENT=YES' : ''}\n`,
    );
    return `${parts.join('')}#EXTINF:1.0,\n${number}.m4s\n`;
  })
  .join('')}`).playlist as MediaPlaylist;

describe('MediaWatcher', () => {
  let clip: FragmentedClip;
  let withSound: Buffer;
  let without: Buffer;
  beforeAll(async () => {
    clip = await fragmentedClip();
    withSound = await segmentOfTs(true, 0);
    without = await segmentOfTs(false, 1);
  });

  async function segmentOfTs(sound: boolean, offset: number): Promise<Buffer> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-ts-'));
    const file = join(directory, 'a.ts');
    const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-c:a', 'aac'];
    const input = [...testPicture({ seconds: 1 }), ...(sound ? testSound(1) : [])];
    await ffmpeg([...input, ...coding, '-output_ts_offset', String(offset), '-f', 'mpegts', file]);
    const bytes = await readFile(file);
    await rm(directory, { recursive: true });
    return bytes;
  }

  function loaded(number: number, change: (good: LoadedSegment) => Partial<LoadedSegment> = () => ({})): LoadedSegment {
    const segment = PLAYLIST.segments[number]!;
    const bytes = clip.fragments.slice(number * PARTS, (number + 1) * PARTS);
    const parts = segment.parts.map((part, index) => ({ part, bytes: bytes[index]! }));
    const good = { segment, bytes: Buffer.concat(bytes), init: clip.init, parts, independent: true };
    return { ...good, ...change(good) };
  }

  async function watch(...segments: LoadedSegment[]) {
    const watcher = new MediaWatcher('');
    for (const segment of segments) await watcher.add(segment);
    return [...new Set(watcher.findings.map(({ rule }) => rule))];
  }

  const firstPart = (change: object) => (good: LoadedSegment) => ({
    parts: good.parts.map((loadedPart, index) =>
      index === 1 ? { ...loadedPart, part: { ...loadedPart.part, ...change } } : loadedPart,
    ),
  });
  const saying = (change: object) => (good: LoadedSegment) => ({ segment: { ...good.segment, ...change } });
  const inf = (duration: number) => ({ inf: { duration, written: String(duration), title: '' } });
  const ts = (number: number, bytes: Buffer) => loaded(number, () => ({ bytes, init: undefined, parts: [] }));

  const BREAKS: [rules: (keyof typeof MEDIA_FILE_RULES)[], segments: () => LoadedSegment[]][] = [
    [['not-decodable'], () => [loaded(0, () => ({ bytes: Buffer.from('nothing that anybody plays'), parts: [] }))]],
    [
      ['not-decodable'],
      () => [loaded(0, ({ bytes }) => ({ bytes: Buffer.from(bytes).fill(0xff, 800, 1600), parts: [] }))],
    ],
    [
      ['no-keyframe-at-start'],
      () => [loaded(0, () => ({ bytes: Buffer.concat(clip.fragments.slice(1, 6)), parts: [] }))],
    ],
    [['part-no-keyframe'], () => [loaded(0, firstPart({ independent: true }))]],
    [['timestamp-gap'], () => [loaded(0), loaded(1, () => ({ ...loaded(2), segment: loaded(1).segment }))]],
    [['timestamp-gap'], () => [loaded(0), loaded(1, () => ({ ...loaded(0), segment: loaded(1).segment }))]],
    [['tracks-changed'], () => [ts(0, withSound), ts(1, without)]],
    [['segment-duration'], () => [loaded(0, saying(inf(1.1)))]],
    [['segment-duration'], () => [loaded(0, saying(inf(0.9)))]],
    [['part-duration'], () => [loaded(0, firstPart({ duration: 0.12 }))]],
    [['bitrate-tag'], () => [loaded(0, saying({ bitrate: 1 }))]],
    [
      ['parts-differ-from-segment'],
      () => [
        loaded(0, ({ parts }) => ({
          parts: [parts[1]!, parts[0]!, ...parts.slice(2)].map((swapped, index) => ({
            ...swapped,
            part: parts[index]!.part,
          })),
        })),
      ],
    ],
  ];

  it('reports each of its rules', async () => {
    const all: string[] = [];
    for (const [rules, segments] of BREAKS) {
      const found = await watch(...segments());
      // Swapped parts aren't where their keyframe was said to be either.
      expect(found.filter((rule) => rules[0] !== 'parts-differ-from-segment' || rule !== 'part-no-keyframe')).toEqual(
        rules,
      );
      all.push(...rules);
    }
    expect(new Set(all)).toEqual(new Set(Object.keys(MEDIA_FILE_RULES)));
  });

  it('finds nothing wrong with good segments, and says what they are', async () => {
    expect(await watch(ts(0, withSound), loaded(2))).toEqual([]);
    const watcher = new MediaWatcher('');
    for (const number of [0, 1, 2]) await watcher.add(loaded(number));
    expect(watcher.findings).toEqual([]);
    const measured = watcher.measured(1);
    const largest = Math.max(...[0, 1, 2].map((number) => loaded(number).bytes.length * 8));
    expect(measured).toMatchObject({ peakBitrate: largest, resolution: { width: 160, height: 90 } });
    expect(measured?.frameRate).toBeCloseTo(25);
    expect('avc1.42c00b').toMatch(measured?.codecs[0]?.pattern ?? /never/);
  });

  it('lets time begin anew at a discontinuity', async () => {
    const anew = loaded(1, () => ({ ...loaded(0), segment: { ...loaded(1).segment, discontinuities: 1 } }));
    expect(await watch(loaded(0), anew)).toEqual([]);
  });
});
