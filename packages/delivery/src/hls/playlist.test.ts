import { gunzipSync } from 'node:zlib';
import { micros, millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { type PlaylistContent, renderDelta, renderPlaylist, SegmentBlocks } from './playlist.js';
import type { OpenSegment, Part, Segment } from './segment.js';

const part = (seconds: number, independent = false): Part => {
  return { bytes: Buffer.alloc(1), duration: micros(seconds * 1_000_000), independent };
};
const open = (number: number, more: Partial<OpenSegment> = {}): OpenSegment => ({
  number,
  startedAt: millis(Date.UTC(2026, 0, 2, 3, 4, 5 + number)),
  discontinuity: false,
  init: undefined,
  independent: true,
  parts: [],
  ...more,
});
const segment = (number: number, seconds: number, more: Partial<OpenSegment> = {}): Segment => {
  return { ...open(number, more), bytes: Buffer.alloc(188), duration: micros(seconds * 1_000_000) };
};
const content = (more: Partial<PlaylistContent>): PlaylistContent => ({
  segments: [],
  open: undefined,
  targetSeconds: 2,
  partTarget: undefined,
  discontinuitySequence: 3,
  independent: true,
  ended: false,
  reports: [],
  dateRanges: [],
  urls: {
    segment: (number) => `show/hls/e-${number}.m4s`,
    part: (number, at) => `show/hls/e-${number}.${at}.m4s`,
    init: (number) => `show/hls/e-init${number}.mp4`,
    key: (number) => `show/hls/e-key${number}.key`,
  },
  ...more,
});

describe('playlist', () => {
  it('says what RFC 8216 asks of a live playlist', () => {
    const segments = [segment(7, 2), segment(8, 1.96, { discontinuity: true })];
    expect(`${renderPlaylist(content({ segments, ended: true }))}`).toBe(`#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:12.000Z
#EXTINF:2.00000,
show/hls/e-7.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:13.000Z
#EXTINF:1.96000,
show/hls/e-8.m4s
#EXT-X-ENDLIST
`);
  });

  it('lists parts near its end, and hints at the next one', () => {
    const parts = [part(0.2, true), part(0.2)];
    const segments = [0, 1, 2, 3].map((number) => segment(number, 2, { init: number < 2 ? 1 : 2, parts }));
    const text = renderPlaylist(
      content({
        segments,
        open: open(4, { init: 2, parts }),
        partTarget: micros(204_000),
        independent: false,
        reports: [{ uri: 'show/small.m3u8', lastSegment: 9, lastPart: 3 }],
      }),
    ).toString();
    expect(text.split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      '#EXT-X-TARGETDURATION:2',
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.61200,CAN-SKIP-UNTIL=12',
      '#EXT-X-PART-INF:PART-TARGET=0.20400',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-DISCONTINUITY-SEQUENCE:3',
      '#EXT-X-MAP:URI="show/hls/e-init1.mp4"',
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.000Z',
      '#EXTINF:2.00000,',
      'show/hls/e-0.m4s',
      ...[1, 2, 3].flatMap((number) => [
        ...(number === 2 ? ['#EXT-X-MAP:URI="show/hls/e-init2.mp4"'] : []),
        `#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:0${5 + number}.000Z`,
        `#EXT-X-PART:DURATION=0.20000,URI="show/hls/e-${number}.0.m4s",INDEPENDENT=YES`,
        `#EXT-X-PART:DURATION=0.20000,URI="show/hls/e-${number}.1.m4s"`,
        '#EXTINF:2.00000,',
        `show/hls/e-${number}.m4s`,
      ]),
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:09.000Z',
      '#EXT-X-PART:DURATION=0.20000,URI="show/hls/e-4.0.m4s",INDEPENDENT=YES',
      '#EXT-X-PART:DURATION=0.20000,URI="show/hls/e-4.1.m4s"',
      '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="show/hls/e-4.2.m4s"',
      '#EXT-X-RENDITION-REPORT:URI="show/small.m3u8",LAST-MSN=9,LAST-PART=3',
      '',
    ]);
  });

  it('leaves out of an update what is older than six target durations', () => {
    const segments = Array.from({ length: 10 }, (_, number) => segment(number, 2, { init: 1 }));
    const text = renderDelta(content({ segments, partTarget: micros(204_000) })).toString();
    expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:0\n');
    expect(text).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n');
    expect(text).not.toContain('#EXT-X-MAP');
    expect(text.match(/#EXTINF/g)).toHaveLength(6);
    expect(`${renderDelta(content({ segments: segments.slice(0, 3) }))}`).not.toContain('SKIP');
  });

  it('renders old segments once, and a long playlist is the same text as without memory of them', () => {
    const segments = Array.from({ length: 400 }, (_, at) =>
      segment(at + 1030, 2, { init: at < 170 ? 1 : 2, discontinuity: at === 170 }),
    );
    const made = { blocks: new SegmentBlocks(), partTarget: micros(204_000) };
    const urlsAsked: number[] = [];
    const urls = {
      ...content({}).urls,
      segment: (number: number) => {
        urlsAsked.push(number);
        return `show/hls/e-${number}.m4s`;
      },
    };
    const first = renderPlaylist(content({ ...made, segments: segments.slice(0, 399), urls })).toString();
    expect(urlsAsked).toHaveLength(399);
    urlsAsked.length = 0;
    const slid = renderPlaylist(content({ ...made, segments: segments.slice(1), urls }));
    // What isn't a whole block: in front, and behind.
    expect(urlsAsked.length).toBeLessThan(19 + 50 + 6);
    const plain = renderPlaylist(content({ segments: segments.slice(1), partTarget: micros(204_000) })).toString();
    const withoutRepeats = (text: string) => text.replace(/#EXT-X-MAP:.*\n/g, '');
    expect(withoutRepeats(slid.toString())).toBe(withoutRepeats(plain));
    expect(first).toContain('#EXT-X-MEDIA-SEQUENCE:1030\n');
    // Each segment has the init segment that it had.
    for (const text of [first, slid.toString()]) {
      let map = '';
      for (const line of text.split('\n')) {
        map = /MAP:URI="(.+)"/.exec(line)?.[1] ?? map;
        const number = Number(/e-(\d+)\.m4s$/.exec(line)?.[1] ?? Number.NaN);
        if (!Number.isNaN(number)) expect(map).toBe(`show/hls/e-init${number < 1200 ? 1 : 2}.mp4`);
      }
    }
    expect(gunzipSync(Buffer.concat(slid.gzip)).toString()).toBe(slid.toString());
  });

  it('says that it only grows, where it does, and offers updates of what is long', () => {
    const segments = Array.from({ length: 60 }, (_, number) => segment(number, 2));
    const long = renderPlaylist(content({ segments, isEvent: true })).toString();
    expect(long).toContain('#EXT-X-PLAYLIST-TYPE:EVENT\n');
    expect(long).toContain('#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12\n');
    expect(`${renderDelta(content({ segments }))}`).toMatch(
      /#EXT-X-VERSION:9\n(.+\n)*#EXT-X-SKIP:SKIPPED-SEGMENTS=54\n/,
    );
  });

  describe('of encrypted segments', () => {
    const sampleKey = (number: number) =>
      ({ number, method: 'SAMPLE-AES', iv: Buffer.alloc(16, 0xa0 + number) }) as const;
    const wholeKey = (number: number) => ({ number, method: 'AES-128' }) as const;
    const tags = (text: { toString(): string }) =>
      text
        .toString()
        .split('\n')
        .filter((line) => /^#EXT-X-(KEY|MAP|SKIP)|^[^#]/.test(line));

    it('says each key where it begins to hold, and where none does any more', () => {
      const keys = [wholeKey(4), wholeKey(4), wholeKey(5), undefined, undefined];
      const segments = keys.map((key, number) => segment(number, 2, { key }));
      expect(tags(renderPlaylist(content({ segments })))).toEqual([
        '#EXT-X-KEY:METHOD=AES-128,URI="show/hls/e-key4.key"',
        'show/hls/e-0.m4s',
        'show/hls/e-1.m4s',
        '#EXT-X-KEY:METHOD=AES-128,URI="show/hls/e-key5.key"',
        'show/hls/e-2.m4s',
        '#EXT-X-KEY:METHOD=NONE',
        'show/hls/e-3.m4s',
        'show/hls/e-4.m4s',
      ]);
    });

    it('leaves init segments out of AES-128, for they are clear', () => {
      const segments = [1, 1, 2].map((init, number) => segment(number, 2, { init, key: wholeKey(7) }));
      expect(tags(renderPlaylist(content({ segments })))).toEqual([
        '#EXT-X-MAP:URI="show/hls/e-init1.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="show/hls/e-key7.key"',
        'show/hls/e-0.m4s',
        'show/hls/e-1.m4s',
        '#EXT-X-KEY:METHOD=NONE',
        '#EXT-X-MAP:URI="show/hls/e-init2.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="show/hls/e-key7.key"',
        'show/hls/e-2.m4s',
      ]);
    });

    it('has init segments behind the key that they tell of, with SAMPLE-AES', () => {
      const segments = [1, 1, 2].map((key, number) => segment(number, 2, { init: key, key: sampleKey(key) }));
      const last = open(3, { init: 3, key: sampleKey(3), parts: [part(0.2, true)] });
      expect(tags(renderPlaylist(content({ segments, open: last, partTarget: micros(204_000) })))).toEqual([
        `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="show/hls/e-key1.key",IV=0x${'A1'.repeat(16)},KEYFORMAT="identity"`,
        '#EXT-X-MAP:URI="show/hls/e-init1.mp4"',
        'show/hls/e-0.m4s',
        'show/hls/e-1.m4s',
        `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="show/hls/e-key2.key",IV=0x${'A2'.repeat(16)},KEYFORMAT="identity"`,
        '#EXT-X-MAP:URI="show/hls/e-init2.mp4"',
        'show/hls/e-2.m4s',
        `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="show/hls/e-key3.key",IV=0x${'A3'.repeat(16)},KEYFORMAT="identity"`,
        '#EXT-X-MAP:URI="show/hls/e-init3.mp4"',
      ]);
    });

    it('says the key again behind what an update skips, but not its init segment', () => {
      const updated = (keyOf: (number: number) => Segment['key']) => {
        const segments = Array.from({ length: 10 }, (_, at) => segment(at, 2, { init: 1, key: keyOf(at) }));
        return tags(renderDelta(content({ segments, partTarget: micros(204_000) }))).slice(0, 3);
      };
      const line = `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="show/hls/e-key1.key",IV=0x${'A1'.repeat(16)},KEYFORMAT="identity"`;
      const skip = '#EXT-X-SKIP:SKIPPED-SEGMENTS=4';
      expect(updated(() => sampleKey(1))).toEqual([skip, line, 'show/hls/e-4.m4s']);
      expect(updated((at) => (at < 4 ? sampleKey(1) : undefined))).toEqual([
        skip,
        '#EXT-X-KEY:METHOD=NONE',
        'show/hls/e-4.m4s',
      ]);
      expect(updated((at) => (at < 4 ? undefined : sampleKey(1)))).toEqual([skip, line, 'show/hls/e-4.m4s']);
      expect(updated(() => undefined)).toEqual([skip, 'show/hls/e-4.m4s', 'show/hls/e-5.m4s']);
    });
  });
});
