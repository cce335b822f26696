import { describe, expect, it } from 'vitest';
import { checkMediaPlaylist } from './check-media-playlist.js';
import { DATE_RANGES, DELTA, LIVE_TS, LOW_LATENCY, VARIABLES, VOD } from './good-playlists.js';
import { parsePlaylist } from './parse.js';
import { MEDIA_RULES } from './rules.js';

const ORIGIN = { url: 'https://example.test/a.m3u8?token=xyz', variables: new Map([['cdn', 'https://cdn.test']]) };

function check(text: string) {
  const { playlist, findings } = parsePlaylist(text, ORIGIN);
  if (playlist.kind !== 'media') throw new Error('a multivariant playlist');
  expect(findings).toEqual([]);
  return checkMediaPlaylist(playlist).map(({ rule }) => rule);
}

type Rule = keyof typeof MEDIA_RULES;
const HINT = '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v-104.2.m4s"';
const FIRST_AD = 'START-DATE="2026-03-01T09:00:05.000Z"';

/** With the last part of the segment before, too. */
const THREE_PARTED = LOW_LATENCY.replace('#EXTINF:2.000,\nv-102', '#EXT-X-PART:DURATION=0.5,URI="v-102.3.m4s"\n$&');

/** Good text, and what makes it break one rule. */
const BREAKS: [rule: Rule, good: string, what: string | RegExp, by: string][] = [
  ['version-too-low', LIVE_TS, '#EXT-X-VERSION:3\n', ''],
  ['version-too-low', LIVE_TS, 'VERSION:3', 'VERSION:2'],
  ['version-too-low', VOD, 'VERSION:5', 'VERSION:4'],
  ['version-too-low', VOD.replace(/,KEYFORMAT.*$/m, ''), 'VERSION:5', 'VERSION:3'],
  ['version-too-low', LOW_LATENCY, 'VERSION:9', 'VERSION:5'],
  ['version-too-low', DELTA, 'VERSION:9', 'VERSION:8'],
  ['version-too-low', DELTA, 'MENTS=3', 'MENTS=3,RECENTLY-REMOVED-DATERANGES="a\tb"'],
  ['version-too-low', VARIABLES, 'VERSION:11', 'VERSION:10'],
  ['version-too-high', LIVE_TS, 'VERSION:3', 'VERSION:4'],
  ['version-too-high', LOW_LATENCY, 'VERSION:9', 'VERSION:10'],
  ['target-duration-missing', LIVE_TS, '#EXT-X-TARGETDURATION:4\n', ''],
  ['target-duration-zero', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0,\na.ts\n', 'TION:1', 'TION:0'],
  ['segment-too-long', LIVE_TS, '3.800', '4.500'],
  ['segment-too-long-before-version-6', LIVE_TS, '3.800', '4.200'],
  ['start-outside', VOD, 'OFFSET=-15', 'OFFSET=25'],
  ['start-outside', LIVE_TS, '#EXT-X-VERSION:3', '#EXT-X-VERSION:3\n#EXT-X-START:TIME-OFFSET=-11'],
  ['start-outside', LIVE_TS, '#EXT-X-VERSION:3', '#EXT-X-VERSION:3\n#EXT-X-START:TIME-OFFSET=5'],
  ['byterange-start', VOD, '1000@188', '1000'],
  ['byterange-start', VOD, 'all.ts', 'other.ts'],
  ['byterange-start', LOW_LATENCY, '"init.mp4"', '"init.mp4",BYTERANGE="700"'],
  ['map-missing', LOW_LATENCY.replace('"init.mp4"', '"late.mp4"'), /(#EXT-X-MAP.*\n)([\s\S]*v-101.m4s\n)/, '$2$1'],
  ['map-key-iv', LOW_LATENCY, '#EXT-X-MAP', '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-MAP'],
  ['key-none', VOD, 'METHOD=NONE', 'METHOD=NONE,URI="k"'],
  ['key-uri', VOD, 'URI="https://keys.example/1",', ''],
  ['key-iv', VOD, 'IV=0x01', 'IV=0x'],
  ['key-iv', VOD, 'METHOD=AES-128', 'METHOD=SAMPLE-AES-CTR'],
  ['key-format-versions', VOD, '"1/2"', '"1/0"'],
  ['date-time-zone', LIVE_TS, '10:00:04.000Z', '10:00:04.000'],
  ['date-time-zone', LIVE_TS, '10:00:04.000Z', '10:00:04Z'],
  ['date-time-ambiguous', LIVE_TS, '10:00:34.000Z', '10:00:32.900Z'],
  ['date-time-drift', LIVE_TS, '10:00:34.000Z', '10:00:34.200Z'],
  ['date-time-after-discontinuity', LIVE_TS, /#EXT-X-PROGRAM-DATE-TIME:2026-03-01T10:00:3.*\n/g, ''],
  ['part-inf-missing', LOW_LATENCY, /#EXT-X-PART-INF.*\n/, ''],
  ['parts-missing', LOW_LATENCY, /#EXT-X-P(ART:|RELOAD).*\n/g, ''],
  ['part-too-long', LOW_LATENCY, '0.5,URI="v-103.2', '0.505,URI="v-103.2'],
  ['part-too-long', LOW_LATENCY, /0\.5,URI="v-104.1/, '0.501,URI="v-104.1'],
  ['part-too-short', LOW_LATENCY.replace('0.32', '0.38'), 'DURATION=0.48', 'DURATION=0.42'],
  ['parts-sum', LOW_LATENCY, 'EXTINF:1.800', 'EXTINF:1.700'],
  ['parts-sum', THREE_PARTED, 'EXTINF:1.800', 'EXTINF:1.900'],
  ['part-independent', LOW_LATENCY, '"v-103.0.m4s",INDEPENDENT=YES', '"v-103.0.m4s"'],
  ['part-independent', LOW_LATENCY, '"v-104.0.m4s",INDEPENDENT=YES', '"v-104.0.m4s"'],
  ['part-byterange', LOW_LATENCY, '"v-104.1.m4s"', '"v-104.1.m4s",BYTERANGE="800"'],
  ['part-gap', LOW_LATENCY, '#EXTINF:1.800', '#EXT-X-GAP\n#EXTINF:1.800'],
  ['part-in-i-frames', LOW_LATENCY, '#EXT-X-INDEP', '#EXT-X-I-FRAMES-ONLY\n#EXT-X-INDEP'],
  [
    'parts-far-from-end',
    LOW_LATENCY,
    '#EXTINF:2.000',
    '#EXT-X-PART:DURATION=0.5,URI="v-100.3.m4s",INDEPENDENT=YES\n#EXTINF:2.000',
  ],
  ['part-hold-back-missing', LOW_LATENCY, 'PART-HOLD-BACK=1.5,', ''],
  ['part-hold-back-low', LOW_LATENCY, 'PART-HOLD-BACK=1.5', 'PART-HOLD-BACK=0.9'],
  ['part-hold-back-below-advised', LOW_LATENCY, 'PART-HOLD-BACK=1.5', 'PART-HOLD-BACK=1.4'],
  ['hold-back-low', LOW_LATENCY, ',HOLD-BACK=6.0', ',HOLD-BACK=5.9'],
  ['can-skip-until-low', LOW_LATENCY, 'CAN-SKIP-UNTIL=12.0', 'CAN-SKIP-UNTIL=11.9'],
  [
    'can-skip-dateranges',
    LOW_LATENCY.replace('VERSION:9', 'VERSION:6'),
    'CAN-SKIP-UNTIL=12.0',
    'CAN-SKIP-DATERANGES=YES',
  ],
  ['can-block-reload-missing', LOW_LATENCY, 'CAN-BLOCK-RELOAD=YES,', ''],
  ['preload-hint-missing', LOW_LATENCY, `${HINT}\n`, ''],
  ['preload-hint-after-end', LOW_LATENCY, /$/, '#EXT-X-ENDLIST\n'],
  ['preload-hint-twice', LOW_LATENCY, HINT, `${HINT}\n${HINT}`],
  ['preload-hint-stale', LOW_LATENCY, 'URI="v-104.2.m4s"', 'URI="v-104.1.m4s"'],
  ['rendition-report-uri', LOW_LATENCY, '"../audio', '"https://example.test/audio'],
  ['skip-not-offered', DELTA, 'CAN-SKIP-UNTIL=12.0,', ''],
  ['skip-too-much', DELTA, '#EXTINF:2.000,\nv-105.ts\n', ''],
  ['daterange-without-date-time', DATE_RANGES, /#EXT-X-PROGRAM.*\n/, ''],
  ['daterange-start', DATE_RANGES, `,${FIRST_AD}`, ''],
  ['daterange-end', DATE_RANGES.replace(',DURATION=3.5', ''), '09:00:08.500Z', '09:00:04.500Z'],
  ['daterange-duration', DATE_RANGES, '09:00:08.500Z', '09:00:08.400Z'],
  ['daterange-end-on-next', DATE_RANGES, 'END-ON-NEXT=YES', 'END-ON-NEXT=YES,DURATION=1'],
  ['daterange-end-on-next', DATE_RANGES, ',CLASS="com.example.show"', ''],
  ['daterange-overlap', DATE_RANGES, '09:00:06.000Z"', '09:00:00.000Z"'],
  ['daterange-cue', DATE_RANGES, '"PRE,ONCE"', '"PRE,POST"'],
  ['daterange-same-id', DATE_RANGES, 'END-DATE="2026-03-01T09:00:08.500Z"', 'CLASS="com.example.other"'],
];

describe('checkMediaPlaylist', () => {
  it.each(BREAKS)('reports %s', (rule, good, what, by) => {
    const broken = good.replace(what, by);
    expect(broken).not.toBe(good);
    expect([...new Set(check(broken))]).toEqual([rule]);
  });

  it('has each of its rules broken by a test', () => {
    expect(new Set(BREAKS.map(([rule]) => rule))).toEqual(new Set(Object.keys(MEDIA_RULES)));
  });

  it.each(
    Object.entries({
      LIVE_TS,
      THREE_PARTED,
      LOW_LATENCY,
      DELTA,
      VOD,
      DATE_RANGES,
      VARIABLES,
    }),
  )('finds nothing wrong with %s', (_name, text) => expect(check(text)).toEqual([]));

  it('lets parts be short before gaps, at the end of their segment, and where they are independent', () => {
    const short = LOW_LATENCY.replace('DURATION=0.5,URI="v-103.0', 'DURATION=0.2,URI="v-103.0').replace(
      '1.800',
      '1.500',
    );
    expect(check(short)).toEqual([]);
    const gap = LOW_LATENCY.replace('DURATION=0.48', 'DURATION=0.3').replace('1.800', '1.620');
    expect(check(gap.replace('URI="v-103.2.m4s"', 'URI="v-103.2.m4s",GAP=YES'))).toEqual([]);
    expect(check(gap)).toEqual(['part-too-short']);
  });

  it('reads hints and parts of one growing resource', () => {
    const growing = LOW_LATENCY.replace(/URI="v-104\.0\.m4s"/, 'URI="v-104.m4s",BYTERANGE="500@0"')
      .replace(/URI="v-104\.1\.m4s"/, 'URI="v-104.m4s",BYTERANGE="600"')
      .replace(HINT, '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v-104.m4s",BYTERANGE-START=1100');
    expect(check(growing)).toEqual([]);
    expect(check(growing.replace('START=1100', 'START=1099'))).toEqual(['preload-hint-stale']);
  });
});
