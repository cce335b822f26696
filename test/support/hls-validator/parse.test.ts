import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATE_RANGES, DELTA, LIVE_TS, LOW_LATENCY, MULTIVARIANT, VARIABLES, VOD } from './good-playlists.js';
import type { MediaPlaylist } from './media-playlist.js';
import { parsePlaylist } from './parse.js';
import { SYNTAX_RULES } from './rules.js';

const ORIGIN = { url: 'https://example.test/a.m3u8?token=xyz', variables: new Map([['cdn', 'https://cdn.test']]) };
const brokenRules = (text: string) => parsePlaylist(text, ORIGIN).findings.map(({ rule }) => rule);
const media = (text: string) => {
  const { playlist } = parsePlaylist(text, ORIGIN);
  if (playlist.kind !== 'media') throw new Error('a multivariant playlist');
  return playlist;
};

/** Good text, and what makes it break one rule. */
const BREAKS: [rule: keyof typeof SYNTAX_RULES, good: string, what: string | RegExp, by: string][] = [
  ['byte-order-mark', LIVE_TS, /^/, '\uFEFF'],
  ['control-character', VOD, 'First', 'Fi\u0007rst'],
  ['control-character', VOD, 'First', 'Fi\u0085rst'],
  ['line-ending', LIVE_TS, /\n$/, ''],
  ['line-ending', VOD, '# a comment', '# a\rcomment'],
  ['whitespace', LIVE_TS, 'a-17.ts', ' a-17.ts'],
  ['whitespace', LIVE_TS, 'a-17.ts', 'a 17.ts'],
  ['whitespace', LIVE_TS, '#EXT-X-DISCONTINUITY\n', '#EXT-X-DISCONTINUITY \n'],
  ['extm3u-first', LIVE_TS, '#EXTM3U\n', ''],
  ['extm3u-first', LIVE_TS, '#EXTM3U\n', '\n#EXTM3U\n'],
  ['playlist-kind', '#EXTM3U\n#EXT-X-VERSION:3\n', '', ''],
  ['unknown-tag', LIVE_TS, '#EXT-X-VERSION:3', '#EXT-X-VERSION:3\n#EXT-X-ALLOW-CACHE:YES'],
  ['unknown-tag', LIVE_TS, '#EXT-X-INDEPENDENT-SEGMENTS', '#EXT-X-INDEPENDENT-SEGMENT'],
  ['mixed-playlist', LIVE_TS, '#EXT-X-VERSION:3', '#EXT-X-VERSION:3\n#EXT-X-SESSION-DATA:DATA-ID="a",VALUE="b"'],
  ['tag-once', LIVE_TS, '#EXT-X-VERSION:3', '#EXT-X-VERSION:3\n#EXT-X-VERSION:3'],
  ['tag-once', LIVE_TS, /$/, '#EXT-X-TARGETDURATION:4\n'],
  [
    'tag-once',
    DELTA,
    '#EXT-X-SKIP:SKIPPED-SEGMENTS=3',
    '#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3',
  ],
  ['tag-once', LIVE_TS, '#EXTINF:3.800,', '#EXTINF:3.800,\n#EXTINF:3.800,'],
  ['tag-value', LIVE_TS, 'TARGETDURATION:4', 'TARGETDURATION:4.5'],
  ['tag-value', LIVE_TS, 'MEDIA-SEQUENCE:17', 'MEDIA-SEQUENCE:-17'],
  ['tag-value', LIVE_TS, 'MEDIA-SEQUENCE:17', 'MEDIA-SEQUENCE'],
  ['tag-value', LIVE_TS, '#EXT-X-DISCONTINUITY\n', '#EXT-X-DISCONTINUITY:1\n'],
  ['tag-value', LIVE_TS, '10:00:34.000Z', '10:00:34,000'],
  ['tag-value', VOD, 'TYPE:VOD', 'TYPE:LIVE'],
  ['tag-value', VOD, '1000@188', '1000@'],
  ['tag-order', LIVE_TS.replace('#EXT-X-MEDIA-SEQUENCE:17\n', ''), /$/, '#EXT-X-MEDIA-SEQUENCE:17\n'],
  ['tag-order', LIVE_TS.replace('#EXT-X-DISCONTINUITY-SEQUENCE:2\n', ''), /$/, '#EXT-X-DISCONTINUITY-SEQUENCE:2\n'],
  ['tag-order', LOW_LATENCY, '#EXTINF:1.800,', '#EXT-X-PROGRAM-DATE-TIME:2026-03-01T10:00:06.000Z\n#EXTINF:1.800,'],
  ['tag-order', DELTA.replace('#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n', ''), /$/, '#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n'],
  ['uri-line', LIVE_TS, '#EXTINF:3.800,\n', ''],
  ['uri-line', LIVE_TS, 'a-20.ts\n', ''],
  ['uri-line', MULTIVARIANT, 'high/v.m3u8\n', ''],
  ['uri-line', MULTIVARIANT, 'high/v.m3u8\n', 'high/v.m3u8\nhigher/v.m3u8\n'],
  ['attribute-list', LOW_LATENCY, 'PART-TARGET=0.5', 'PART-TARGET'],
  ['attribute-list', LOW_LATENCY, 'URI="init.mp4"', 'URI="init.mp4'],
  ['attribute-list', LOW_LATENCY, ',HOLD-BACK', ', HOLD-BACK'],
  ['attribute-list', LOW_LATENCY, 'HOLD-BACK=6.0', 'HOLD-BACK=6.0,'],
  ['attribute-twice', LOW_LATENCY, 'HOLD-BACK=6.0', 'HOLD-BACK=6.0,HOLD-BACK=6.0'],
  ['attribute-unknown', LOW_LATENCY, 'HOLD-BACK=6.0', 'HOLD-BACK=6.0,CAN-DANCE=YES'],
  ['attribute-missing', LOW_LATENCY, 'DURATION=0.48,', ''],
  ['attribute-missing', MULTIVARIANT, 'BANDWIDTH=90000,', ''],
  ['attribute-value', LOW_LATENCY, 'DURATION=0.48', 'DURATION="0.48"'],
  ['attribute-value', LOW_LATENCY, 'URI="init.mp4"', 'URI=init.mp4'],
  ['attribute-value', LOW_LATENCY, 'INDEPENDENT=YES', 'INDEPENDENT=NO'],
  ['attribute-value', MULTIVARIANT, 'RESOLUTION=640x360', 'RESOLUTION=640X360'],
  ['attribute-value', MULTIVARIANT, 'SCORE=1.0', 'SCORE=-1.0'],
  ['attribute-value', VOD, 'IV=0x0123456789ABCDEF', 'IV=0x0123456789abcdef'],
  ['attribute-value', VOD, 'METHOD=AES-128', 'METHOD=AES-129'],
  ['attribute-value', DATE_RANGES, 'CUE="PRE,ONCE"', 'CUE="PRE,PRE"'],
  ['attribute-value', DATE_RANGES, 'DURATION=3.5', 'DURATION=-3.5'],
  ['define', VARIABLES, 'NAME="base",VALUE="media"', 'NAME="base",VALUE="media",IMPORT="cdn"'],
  [
    'define',
    VARIABLES,
    '#EXT-X-DEFINE:IMPORT="cdn"',
    '#EXT-X-DEFINE:IMPORT="cdn"\n#EXT-X-DEFINE:NAME="base",VALUE="b"',
  ],
  ['define', VARIABLES, 'IMPORT="cdn"', 'IMPORT="cdn"\n#EXT-X-DEFINE:IMPORT="dnc"'],
  ['define', VARIABLES, 'QUERYPARAM="token"', 'QUERYPARAM="token"\n#EXT-X-DEFINE:QUERYPARAM="other"'],
  ['define', VARIABLES, 'NAME="base",VALUE="media"', 'NAME="base",VALUE="media"\n#EXT-X-DEFINE:NAME="b c",VALUE=""'],
  ['variable', VARIABLES, '{$base}', '{$bas}'],
];

describe('parsePlaylist', () => {
  it.each(BREAKS)('reports %s', (rule, good, what, by) => {
    const broken = what === '' ? good : good.replace(what, by);
    expect(new Set(brokenRules(broken))).toContain(rule);
    // What can't be read is missing elsewhere, but nothing more.
    expect(brokenRules(broken).length).toBeLessThanOrEqual(rule === 'define' ? 2 : 1);
  });

  it('has each of its rules broken by a test', () => {
    expect(new Set(BREAKS.map(([rule]) => rule))).toEqual(new Set(Object.keys(SYNTAX_RULES)));
  });

  it.each(Object.entries({ LIVE_TS, LOW_LATENCY, DELTA, VOD, DATE_RANGES, VARIABLES, MULTIVARIANT }))(
    'finds nothing wrong with %s, whatever its line endings',
    (_name, text) => {
      expect(parsePlaylist(text, ORIGIN).findings).toEqual([]);
      expect(parsePlaylist(text.replaceAll('\n', '\r\n'), ORIGIN).findings).toEqual([]);
    },
  );

  it('puts segments together with all that applies to them', () => {
    const { segments, open } = media(LIVE_TS);
    expect(segments.map(({ number, uri, discontinuitySequence }) => [number, uri, discontinuitySequence])).toEqual([
      [17, 'a-17.ts', 2],
      [18, 'a-18.ts', 2],
      [19, 'a-19.ts', 3],
      [20, 'a-20.ts', 3],
    ]);
    expect(segments[3]?.dateTime).toEqual({ at: Date.UTC(2026, 2, 1, 10, 0, 34), exact: true });
    expect([open.number, open.parts]).toEqual([21, []]);
  });

  it('carries keys, bit rates and init sections on until they change', () => {
    const [first, second, third] = media(VOD).segments;
    expect([first?.keys.length, second?.keys.length, third?.keys.length]).toEqual([1, 1, 0]);
    expect([first?.bitrate, third?.bitrate, third?.gap]).toEqual([undefined, 900, true]);
    expect([first?.byteRange, second?.byteRange]).toEqual([
      { length: 1000, offset: 188 },
      { length: 1200, offset: undefined },
    ]);
    const parted: MediaPlaylist = media(LOW_LATENCY);
    expect(parted.segments.every(({ map }) => map?.URI === 'init.mp4')).toBe(true);
    expect([parted.segments[3]?.parts.length, parted.open.number, parted.open.parts.length]).toEqual([4, 104, 2]);
  });

  it('counts what was skipped', () => {
    expect(media(DELTA).segments.map(({ number }) => number)).toEqual([103, 104, 105, 106, 107, 108]);
  });

  it('puts in what variables stand for', () => {
    expect(media(VARIABLES).segments[0]?.uri).toBe('https://cdn.test/media/a.ts?t=xyz');
  });

  it('reads the zones of dates', () => {
    const at = (date: string) => media(LIVE_TS.replace('2026-03-01T10:00:00.000Z', date)).segments[0]?.dateTime;
    const ten = Date.UTC(2026, 2, 1, 10);
    expect(at('2026-03-01T11:00:00.000+01')).toEqual({ at: ten, exact: true });
    expect(at('2026-03-01T11:00:00.000+0100')).toEqual({ at: ten, exact: true });
    expect(at('2026-03-01T11:00:00.000+01:00')).toEqual({ at: ten, exact: true });
    expect(at('2026-03-01T10:00:00Z')).toEqual({ at: ten, exact: false });
    expect(at('2026-03-01T10:00:00.000')).toEqual({ at: ten, exact: false });
  });

  it('bears anything', () => {
    const lines = [LIVE_TS, LOW_LATENCY, VOD, DATE_RANGES, MULTIVARIANT].join('').split('\n');
    const line = fc.oneof(
      fc.constantFrom(...lines),
      fc.string(),
      fc.string().map((text) => `#EXT-X-${text}`),
    );
    fc.assert(
      fc.property(fc.array(line), (some) => {
        for (const finding of parsePlaylist(some.join('\n')).findings) expect(finding.detail).not.toBe('');
      }),
    );
  });
});
