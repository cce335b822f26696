import { describe, expect, it } from 'vitest';
import type { Measured, Member } from './check-members.js';
import { checkMultivariantPlaylist } from './check-multivariant-playlist.js';
import { LIVE_TS, LOW_LATENCY, MULTIVARIANT } from './good-playlists.js';
import { parsePlaylist } from './parse.js';
import { MULTIVARIANT_RULES } from './rules.js';

const URIS = ['low/v.m3u8', 'high/v.m3u8', 'en/a.m3u8', 'de/a.m3u8'];
const TEXT = LIVE_TS.replace('#EXT-X-INDEPENDENT-SEGMENTS\n', '');
const VIDEO: Measured = {
  peakBitrate: 700_000,
  averageBitrate: 600_000,
  codecs: [{ name: 'H.264', pattern: /^avc1\.4d..1f$/ }],
  resolution: { width: 640, height: 360 },
  frameRate: 25,
  hasCaptions: true,
};
const AUDIO: Measured = {
  peakBitrate: 130_000,
  averageBitrate: 128_000,
  codecs: [{ name: 'AAC', pattern: /^mp4a\.40\.2$/ }],
  resolution: undefined,
  frameRate: undefined,
  hasCaptions: false,
};

function member(uri: string, text: string, measured?: Measured): [string, Member] {
  const { playlist } = parsePlaylist(text, { url: `https://example.test/${uri}` });
  if (playlist.kind !== 'media') throw new Error('no media playlist');
  return [uri, measured === undefined ? { playlist } : { playlist, measured }];
}

function check(text: string, ...members: [string, Member][]) {
  const { playlist, findings } = parsePlaylist(text, { url: 'https://example.test/all.m3u8' });
  if (playlist.kind !== 'multivariant') throw new Error('a media playlist');
  expect(findings).toEqual([]);
  return checkMultivariantPlaylist(playlist, new Map(members)).map(({ rule }) => rule);
}

type Rule = keyof typeof MULTIVARIANT_RULES;

const ENGLISH = 'NAME="English",LANGUAGE="en",DEFAULT=YES';
const SECOND_GROUP = `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="more",NAME="Deutsch",URI="de/s.m3u8"\n`;
/** What makes the good one break one rule. */
const BREAKS: [rule: Rule, what: string | RegExp, by: string][] = [
  ['multivariant-version-too-low', '"CC1"', '"SERVICE1"'],
  ['multivariant-version-too-low', 'CHANNELS="2"', 'CHANNELS="2",INSTREAM-ID="a.1"'],
  ['multivariant-version-too-low', 'SCORE=1.0', 'SCORE=1.0,REQ-VIDEO-LAYOUT="CH-STEREO"'],
  ['codecs-missing', 'CODECS="avc1.4d401f,mp4a.40.2",', ''],
  ['resolution-missing', 'RESOLUTION=640x360,', ''],
  ['frame-rate-missing', 'FRAME-RATE=25.000,', ''],
  ['frame-rate-decimals', '25.000', '25.0000'],
  ['score-missing', ',SCORE=2.0', ''],
  ['stable-id', 'STABLE-VARIANT-ID="low"', 'STABLE-VARIANT-ID="l w"'],
  ['group-unknown', 'AUDIO="stereo"', 'AUDIO="surround"'],
  ['group-unknown', ',CLOSED-CAPTIONS="cc"', ',CLOSED-CAPTIONS="subs"'],
  ['closed-captions-none', 'CLOSED-CAPTIONS="cc"', 'CLOSED-CAPTIONS=NONE'],
  ['media-uri', ',URI="en/s.m3u8"', ''],
  ['media-uri', '"CC1"', '"CC1",URI="cc.m3u8"'],
  ['media-instream-id', '"CC1"', '"CC5"'],
  ['media-instream-id', ',INSTREAM-ID="CC1"', ''],
  ['media-attribute-of-other-type', 'DEFAULT=YES', 'DEFAULT=YES,FORCED=NO'],
  ['media-attribute-of-other-type', 'FORCED=NO', 'CHANNELS="2"'],
  ['media-autoselect', 'AUTOSELECT=YES', 'AUTOSELECT=NO'],
  ['media-channels-missing', ',CHANNELS="2"', ''],
  ['group-name-twice', '"Deutsch"', '"English"'],
  ['group-two-defaults', 'LANGUAGE="de"', 'LANGUAGE="de",DEFAULT=YES'],
  ['groups-differ', '#EXT-X-STREAM-INF', `${SECOND_GROUP}#EXT-X-STREAM-INF`],
  ['session-data', 'VALUE="A show"', 'VALUE="A show",URI="a.json"'],
  ['session-data', /(#EXT-X-SESSION-DATA.*\n)/, '$1$1'],
  ['session-key', /(#EXT-X-SESSION-KEY.*\n)/, '$1$1'],
  ['session-key', /METHOD=AES-128,URI="[^"]*"/, 'METHOD=NONE'],
  ['steering-pathway', 'PATHWAY-ID="."', 'PATHWAY-ID="cdn-1"'],
];

const low = member('low/v.m3u8', TEXT, VIDEO);
const english = member('en/a.m3u8', TEXT, AUDIO);
const parted = (uri: string, reports: readonly string[]) => {
  const lines = reports.map((reported) => `#EXT-X-RENDITION-REPORT:URI="../${reported}",LAST-MSN=1\n`);
  const text = LOW_LATENCY.replace(/#EXT-X-RENDITION.*\n/, lines.join(''));
  return member(uri, text.replace('#EXT-X-INDEPENDENT-SEGMENTS\n', ''));
};

/** Media playlists that don't fit, or don't fit each other. */
const MISFITS: [rule: Rule, text: string, ...members: [string, Member][]][] = [
  ['bandwidth-exceeded', MULTIVARIANT, member('low/v.m3u8', TEXT, { ...VIDEO, peakBitrate: 900_001 })],
  ['bandwidth-exceeded', MULTIVARIANT, member('low/v.m3u8', TEXT, { ...VIDEO, peakBitrate: 800_000 }), english],
  ['average-bandwidth-exceeded', MULTIVARIANT, member('low/v.m3u8', TEXT, { ...VIDEO, averageBitrate: 890_000 })],
  ['codecs-incomplete', MULTIVARIANT.replaceAll(',mp4a.40.2', ''), low, english],
  ['codecs-incomplete', MULTIVARIANT.replaceAll('avc1.4d401f', 'avc1.4d4020'), low],
  ['resolution-mismatch', MULTIVARIANT.replace('640x360', '640x480'), low],
  ['frame-rate-mismatch', MULTIVARIANT.replace('25.000', '24.000'), low],
  ['captions-untold', MULTIVARIANT.replaceAll('CLOSED-CAPTIONS="cc"', 'CLOSED-CAPTIONS=NONE'), low],
  ['captions-missing', MULTIVARIANT, member('low/v.m3u8', TEXT, { ...VIDEO, hasCaptions: false })],
  ['independent-segments-twice', MULTIVARIANT, member('low/v.m3u8', LIVE_TS)],
  ['i-frames-only-missing', MULTIVARIANT, member('low/i.m3u8', TEXT)],
  ['target-durations-differ', MULTIVARIANT, low, member('high/v.m3u8', TEXT.replace('TION:4', 'TION:5'))],
  ['playlist-types-differ', MULTIVARIANT, low, member('high/v.m3u8', `${TEXT}#EXT-X-PLAYLIST-TYPE:EVENT\n`)],
  ['server-controls-differ', MULTIVARIANT, low, member('high/v.m3u8', `${TEXT}#EXT-X-SERVER-CONTROL:HOLD-BACK=20\n`)],
  ['date-times-partial', MULTIVARIANT, low, member('high/v.m3u8', TEXT.replace(/#EXT-X-PROGRAM.*\n/g, ''))],
  ['rendition-reports-partial', MULTIVARIANT, parted('low/v.m3u8', ['high/v.m3u8']), parted('high/v.m3u8', [])],
];

describe('checkMultivariantPlaylist', () => {
  it.each(BREAKS)('reports %s', (rule, what, by) => {
    const broken = MULTIVARIANT.replace(what, by);
    expect(broken).not.toBe(MULTIVARIANT);
    expect([...new Set(check(broken))]).toEqual([rule]);
  });

  it.each(MISFITS)('reports %s of what it lists', (rule, text, ...members) => {
    expect([...new Set(check(text, ...members))]).toEqual([rule]);
  });

  it('has each of its rules broken by a test', () => {
    const broken = [...BREAKS.map(([rule]) => rule), ...MISFITS.map(([rule]) => rule)];
    expect(new Set(broken)).toEqual(new Set(Object.keys(MULTIVARIANT_RULES)));
  });

  it('finds nothing wrong with good ones', () => {
    expect(MULTIVARIANT).toContain(ENGLISH);
    expect(check(MULTIVARIANT)).toEqual([]);
    expect(check(MULTIVARIANT, ...URIS.map((uri) => member(uri, TEXT)))).toEqual([]);
    expect(check(MULTIVARIANT, low, english)).toEqual([]);
    const reporting = URIS.map((uri) =>
      parted(
        uri,
        URIS.filter((other) => other !== uri),
      ),
    );
    expect(check(MULTIVARIANT, ...reporting)).toEqual([]);
  });
});
