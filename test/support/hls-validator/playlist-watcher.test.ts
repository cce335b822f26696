import { describe, expect, it } from 'vitest';
import { mergeDelta } from './delta.js';
import { LIVE_TS, LOW_LATENCY, MULTIVARIANT } from './good-playlists.js';
import type { MediaPlaylist } from './media-playlist.js';
import { parsePlaylist } from './parse.js';
import { PlaylistWatcher } from './playlist-watcher.js';
import { LIVE_RULES } from './rules.js';

/** A live playlist of segments of 2 s, from one number to another, and parts after them. */
function live(from: number, to: number, options: { parts?: number; head?: string; hint?: string } = {}): string {
  const { parts, head = '', hint } = options;
  const lowLatency =
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,PART-HOLD-BACK=1.5\n#EXT-X-PART-INF:PART-TARGET=0.5\n';
  const lines: string[] = [];
  for (let number = from; number <= to; number++) {
    if (number === 5) lines.push('#EXT-X-DISCONTINUITY');
    lines.push('#EXTINF:2.000,', `s-${number}.ts`);
  }
  for (let part = 0; part < (parts ?? 0); part++) lines.push(`#EXT-X-PART:DURATION=0.5,URI="s-${to + 1}.${part}.ts"`);
  if (parts !== undefined) lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${hint ?? `s-${to + 1}.${parts}.ts`}"`);
  return `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
${parts === undefined ? '' : lowLatency}#EXT-X-MEDIA-SEQUENCE:${from}
#EXT-X-DISCONTINUITY-SEQUENCE:${from > 5 ? 1 : 0}
${head}${lines.join('\n')}
`;
}

const parsed = (text: string) => parsePlaylist(text).playlist;
const media = (text: string) => parsed(text) as MediaPlaylist;

interface Step {
  readonly text: string;
  readonly at: number;
  readonly took?: number;
  readonly asked?: { msn: number; part?: number };
}

function watch(steps: readonly Step[]) {
  const watcher = new PlaylistWatcher('https://example.test/a.m3u8');
  const removed = steps.flatMap(({ text, at, took = 0, asked }) =>
    watcher.add({ playlist: parsed(text), requestedAt: at - took, receivedAt: at, ...(asked && { asked }) }),
  );
  return { removed, rules: [...new Set(watcher.findings.map(({ rule }) => rule))] };
}

const range = (attributes: string) => ({ head: `#EXT-X-DATERANGE:ID="a",${attributes}\n` });
const FIRST: Step = { text: live(1, 4), at: 0 };
const PARTED: Step = { text: live(1, 4, { parts: 2 }), at: 0 };
const then = (text: string, at = 2): Step => ({ text, at });

/** What is loaded one after the other, and breaks one rule. */
const BREAKS: [rule: keyof typeof LIVE_RULES, ...steps: Step[]][] = [
  ['kind-changed', FIRST, then(MULTIVARIANT)],
  ['sequence-went-back', then(live(2, 5), 0), then(live(1, 5), 2)],
  ['discontinuity-sequence', then(live(2, 5), 0), then(live(3, 6).replace('SEQUENCE:0', 'SEQUENCE:1'), 2)],
  ['discontinuity-sequence', then(live(5, 8), 0), then(live(6, 9).replace('SEQUENCE:1', 'SEQUENCE:0'), 2)],
  ['discontinuity-sequence', then(live(6, 9), 0), then(live(10, 13).replace('UITY-SEQUENCE:1', 'UITY-SEQUENCE:0'), 2)],
  ['segment-changed', FIRST, then(live(1, 4).replace('s-3.ts', 's-three.ts'))],
  ['segment-changed', FIRST, then(live(1, 4).replace('2.000,\ns-3', '1.900,\ns-3'))],
  ['segment-changed', FIRST, then(live(2, 5).replace('MEDIA-SEQUENCE:2', 'MEDIA-SEQUENCE:1'))],
  ['segment-changed', then(LIVE_TS, 0), then(LIVE_TS.replace('10:00:04.000Z', '10:00:04.050Z'), 2)],
  ['segment-changed', then(LOW_LATENCY, 0), then(LOW_LATENCY.replace('"init.mp4"', '"init2.mp4"'), 0.5)],
  ['segment-removed', FIRST, then(live(1, 3))],
  [
    'removed-with-playlist-type',
    then(`${live(1, 4)}#EXT-X-PLAYLIST-TYPE:EVENT\n`, 0),
    then(`${live(2, 5)}#EXT-X-PLAYLIST-TYPE:EVENT\n`, 2),
  ],
  ['playlist-too-short', FIRST, then(live(4, 5))],
  ['part-changed', PARTED, then(live(1, 4, { parts: 2 }).replace('DURATION=0.5', 'DURATION=0.4'), 0.5)],
  ['part-removed', PARTED, then(live(1, 4, { parts: 1, hint: 's-5.2.ts' }), 0.5)],
  ['part-removed', PARTED, then(live(1, 5, { parts: 0, hint: 's-5.2.ts' }), 0.5)],
  ['target-duration-changed', FIRST, then(live(1, 5).replace('TION:2', 'TION:3'))],
  ['part-target-changed', PARTED, then(live(1, 4, { parts: 3 }).replace('TARGET=0.5', 'TARGET=0.6'), 0.5)],
  ['playlist-type-changed', FIRST, then(`${live(1, 5)}#EXT-X-PLAYLIST-TYPE:EVENT\n`)],
  ['changed-after-end', then(`${live(1, 4)}#EXT-X-ENDLIST\n`, 0), then(`${live(1, 5)}#EXT-X-ENDLIST\n`, 2)],
  ['changed-after-end', then(`${live(1, 4)}#EXT-X-ENDLIST\n`, 0), then(live(1, 4), 2)],
  ['late-segment', FIRST, then(live(1, 4), 3.3)],
  ['late-segment', FIRST, { text: live(1, 5), at: 3.3, took: 3.3, asked: { msn: 5 } }],
  ['late-part', PARTED, then(live(1, 4, { parts: 2 }), 0.8)],
  ['late-part', PARTED, { text: live(1, 4, { parts: 3 }), at: 0.8, took: 0.8, asked: { msn: 5, part: 2 } }],
  ['preload-hint-broken', PARTED, then(live(1, 4, { parts: 2, hint: 's-5.3.ts' }), 0.5)],
  ['preload-hint-broken', then(live(1, 4, { parts: 2, hint: 's-5.9.ts' }), 0), then(live(1, 4, { parts: 3 }), 0.5)],
  [
    'daterange-changed',
    then(live(1, 4, range('START-DATE="2026-01-01T00:00:00.000Z"')), 0),
    then(live(1, 4, range('START-DATE="2026-01-01T00:00:01.000Z"')), 2),
  ],
  ['blocking-answer', FIRST, { text: live(1, 4), at: 2, asked: { msn: 5 } }],
  ['blocking-answer', PARTED, { text: live(1, 4, { parts: 2 }), at: 0.5, asked: { msn: 5, part: 2 } }],
  ['blocking-slow', { text: live(1, 5), at: 6.5, took: 6.4, asked: { msn: 5 } }],
];

const WHOLE = live(1, 12, { parts: 1 });
const skipping = (count: number, text = WHOLE) => {
  const skipped = new RegExp(
    `(#EXT-X-DISC.*SEQUENCE.*\\n)([^]*?)(#EXTINF.*\\ns-${count + 1}\\.)`.replace('[^]', '[\\s\\S]'),
  );
  return text.replace(skipped, `$1#EXT-X-SKIP:SKIPPED-SEGMENTS=${count}\n$3`);
};

/** Delta updates that aren't. */
const DELTAS: [rule: keyof typeof LIVE_RULES, before: string, delta: string, after: string][] = [
  ['delta-not-given', WHOLE, WHOLE, WHOLE],
  ['delta-mismatch', live(2, 12, { parts: 1 }), skipping(6), WHOLE],
  ['delta-mismatch', WHOLE, skipping(6).replace('=6', '=5'), WHOLE],
  ['delta-mismatch', WHOLE, skipping(6).replace('2.000,\ns-9', '2.001,\ns-9'), WHOLE],
  ['delta-mismatch', WHOLE, skipping(6).replace('UITY-SEQUENCE:0', 'UITY-SEQUENCE:1'), WHOLE],
  ['delta-mismatch', WHOLE, skipping(6), live(1, 11, { parts: 1 })],
];

describe('PlaylistWatcher', () => {
  it.each(BREAKS)('reports %s', (rule, ...steps) => {
    expect(watch(steps).rules).toEqual([rule]);
  });

  it.each(DELTAS)('reports %s', (rule, before, delta, after) => {
    const watcher = new PlaylistWatcher('');
    watcher.delta(media(before), media(delta), media(after));
    expect([...new Set(watcher.findings.map((finding) => finding.rule))]).toEqual([rule]);
  });

  it('has each of its rules broken by a test', () => {
    const broken = [...BREAKS.map(([rule]) => rule), ...DELTAS.map(([rule]) => rule)];
    expect(new Set(broken)).toEqual(new Set(Object.keys(LIVE_RULES)));
  });

  it('finds nothing wrong with a window that moves on to its end', () => {
    const steps = Array.from({ length: 9 }, (_, index) => then(live(1 + index, 4 + index), index * 2));
    expect(
      watch([...steps, then(`${live(9, 13)}#EXT-X-ENDLIST\n`, 18), then(`${live(9, 13)}#EXT-X-ENDLIST\n`, 60)]).rules,
    ).toEqual([]);
  });

  it('finds nothing wrong with parts that come one by one, and go where they are old', () => {
    const steps: Step[] = [];
    const withAll = (text: string, to: number) => {
      const parts = [0, 1, 2, 3].map((part) => `#EXT-X-PART:DURATION=0.5,URI="s-${to}.${part}.ts"\n`).join('');
      return text.replace(`#EXTINF:2.000,\ns-${to}.ts`, `${parts}$&`);
    };
    for (let tick = 0; tick < 40; tick++) {
      const [to, parts] = [4 + Math.floor(tick / 4), tick % 4];
      let text = live(to - 3, to, { parts });
      for (const parted of [to, to - 1, to - 2]) if (parted > 4) text = withAll(text, parted);
      const asked = { msn: to + (parts === 0 ? 0 : 1), part: parts === 0 ? 3 : parts - 1 };
      steps.push({ text, at: tick * 0.5, took: 0.5, asked });
    }
    expect(watch(steps).rules).toEqual([]);
  });

  it('takes delta updates for the whole', () => {
    const watcher = new PlaylistWatcher('');
    const delta = media(skipping(6));
    expect(delta.segments).toHaveLength(6);
    watcher.delta(media(WHOLE), delta, media(WHOLE));
    expect(watcher.findings).toEqual([]);
    const whole = media(WHOLE);
    const merged = mergeDelta(whole, delta);
    expect([merged?.segments, merged?.open]).toEqual([whole.segments, whole.open]);
  });

  it('says how long what is gone from the list must still be there', () => {
    const { removed } = watch([FIRST, then(live(1, 5), 2), then(live(2, 6), 4)]);
    // 2 s of itself and 10 s of the longest playlist, from when it was listed last.
    expect(removed).toEqual([{ what: 'segment', uri: 's-1.ts', until: 14 }]);
    const parts = watch([PARTED, then(live(2, 5, { parts: 0, hint: 's-6.0.ts' }), 0.5)]).removed;
    expect(parts).toContainEqual({ what: 'part', uri: 's-5.0.ts', until: 6 });
  });
});
