/** How binding a rule is, in the words of RFC 2119. */
export type Level = 'must' | 'should';

interface Rule {
  /** Of draft-pantos-hls-rfc8216bis, or of RFC 8216 where that asks for more. */
  readonly section: string;
  readonly level: Level;
}

const must = (section: string): Rule => ({ section: `rfc8216bis §${section}`, level: 'must' });
const should = (section: string): Rule => ({ section: `rfc8216bis §${section}`, level: 'should' });

/** On the text of any playlist, found while it is parsed. */
export const SYNTAX_RULES = {
  'byte-order-mark': must('4.1'),
  'control-character': must('4.1'),
  'line-ending': must('4.1'),
  whitespace: must('4.1'),
  'extm3u-first': must('4.4.1.1'),
  'playlist-kind': must('4.1'),
  'unknown-tag': should('6.3.1'),
  'mixed-playlist': must('4.4.6'),
  'tag-once': must('4.4.3'),
  'tag-value': must('4.2'),
  'tag-order': must('4.4.3'),
  'uri-line': must('4.4.4.1'),
  'attribute-list': must('4.2'),
  'attribute-twice': must('4.2'),
  'attribute-unknown': should('6.3.1'),
  'attribute-missing': must('4.4'),
  'attribute-value': must('4.2'),
  define: must('4.4.2.3'),
  variable: must('4.3'),
} as const satisfies Record<string, Rule>;

/** On one media playlist by itself. */
export const MEDIA_RULES = {
  'version-too-low': must('8'),
  'version-too-high': should('6.2.1'),
  'target-duration-missing': must('4.4.3.1'),
  'target-duration-zero': must('4.4.3.1'),
  'segment-too-long': must('4.4.3.1'),
  'segment-too-long-before-version-6': should('8'),
  'start-outside': should('4.4.2.2'),
  'byterange-start': must('4.4.4.2'),
  'map-missing': must('3.1.2'),
  'map-key-iv': must('4.4.4.5'),
  'key-none': must('4.4.4.4'),
  'key-uri': must('4.4.4.4'),
  'key-iv': must('4.4.4.4'),
  'key-format-versions': must('4.4.4.4'),
  'date-time-zone': should('4.4.4.6'),
  'date-time-ambiguous': must('6.2.1'),
  'date-time-drift': should('4.4.4.6'),
  'date-time-after-discontinuity': should('6.2.1'),
  'part-inf-missing': must('4.4.3.7'),
  'parts-missing': should('4.4.3.7'),
  'part-too-long': must('4.4.4.9'),
  'part-too-short': must('4.4.4.9'),
  'parts-sum': must('4.4.4.9'),
  'part-independent': should('4.4.4.9'),
  'part-byterange': must('4.4.4.9'),
  'part-gap': must('6.2.1'),
  'part-in-i-frames': should('4.4.4.9'),
  'parts-far-from-end': should('6.2.2'),
  'part-hold-back-missing': must('4.4.3.8'),
  'part-hold-back-low': must('4.4.3.8'),
  'part-hold-back-below-advised': should('4.4.3.8'),
  'hold-back-low': must('4.4.3.8'),
  'can-skip-until-low': must('4.4.3.8'),
  'can-skip-dateranges': must('4.4.3.8'),
  'can-block-reload-missing': must('B.1'),
  'preload-hint-missing': should('B.1'),
  'preload-hint-after-end': must('4.4.5.3'),
  'preload-hint-twice': should('6.2.6'),
  'preload-hint-stale': must('4.4.5.3'),
  'rendition-report-uri': must('4.4.5.4'),
  'skip-not-offered': must('6.2.5.1'),
  'skip-too-much': must('6.2.5.1'),
  'daterange-without-date-time': must('4.4.5.1'),
  'daterange-start': must('4.4.5.1'),
  'daterange-end': must('4.4.5.1'),
  'daterange-duration': must('4.4.5.1'),
  'daterange-end-on-next': must('4.4.5.1'),
  'daterange-overlap': must('4.4.5.1'),
  'daterange-cue': must('4.4.5.1'),
  'daterange-same-id': must('4.4.5.1'),
} as const satisfies Record<string, Rule>;

/** On one media playlist as it is loaded again and again. */
export const LIVE_RULES = {
  'kind-changed': must('6.2.1'),
  'sequence-went-back': must('6.2.2'),
  'discontinuity-sequence': must('6.2.2'),
  'segment-changed': must('6.2.1'),
  'segment-removed': must('6.2.1'),
  'removed-with-playlist-type': must('6.2.2'),
  'playlist-too-short': must('6.2.2'),
  'part-changed': must('6.2.1'),
  'part-removed': must('6.2.2'),
  'target-duration-changed': must('6.2.1'),
  'part-target-changed': must('6.2.1'),
  'playlist-type-changed': must('6.2.1'),
  'changed-after-end': must('6.2.1'),
  'late-segment': must('6.2.1'),
  'late-part': must('6.2.1'),
  'preload-hint-broken': must('4.4.5.3'),
  'daterange-changed': must('6.2.1'),
  'delta-mismatch': must('6.2.5.1'),
  'delta-not-given': must('6.2.5.1'),
  'blocking-answer': must('6.2.5.2'),
  'blocking-slow': should('6.2.5.2'),
} as const satisfies Record<string, Rule>;

/** On a multivariant playlist, and on how it agrees with what it lists. */
export const MULTIVARIANT_RULES = {
  'multivariant-version-too-low': must('8'),
  'codecs-missing': should('4.4.6.2'),
  'resolution-missing': should('4.4.6.2'),
  'frame-rate-missing': should('4.4.6.2'),
  'frame-rate-decimals': must('4.4.6.2'),
  'score-missing': should('4.4.6.2'),
  'stable-id': must('4.4.6.2'),
  'group-unknown': must('4.4.6.2'),
  'closed-captions-none': must('4.4.6.2'),
  'media-uri': must('4.4.6.2.1'),
  'media-instream-id': must('4.4.6.1'),
  'media-attribute-of-other-type': must('4.4.6.1'),
  'media-autoselect': must('4.4.6.1'),
  'media-channels-missing': should('4.4.6.1'),
  'group-name-twice': must('4.4.6.1.1'),
  'group-two-defaults': must('4.4.6.1.1'),
  'groups-differ': must('4.4.6.1.1'),
  'session-data': must('4.4.6.4'),
  'session-key': must('4.4.6.5'),
  'steering-pathway': must('4.4.6.6'),
  'bandwidth-exceeded': must('4.4.6.2'),
  'average-bandwidth-exceeded': should('4.4.6.2'),
  'codecs-incomplete': must('6.2.4'),
  'resolution-mismatch': must('4.4.6.2'),
  'frame-rate-mismatch': must('4.4.6.2'),
  'captions-untold': must('4.4.6.2'),
  'captions-missing': should('4.4.6.2'),
  'independent-segments-twice': should('4.4.2.1'),
  'i-frames-only-missing': must('4.4.6.3'),
  'target-durations-differ': must('6.2.4'),
  'playlist-types-differ': must('6.2.4'),
  'server-controls-differ': must('6.2.4'),
  'date-times-partial': must('6.2.4'),
  'rendition-reports-partial': must('B.1'),
} as const satisfies Record<string, Rule>;

/** On the media and on the answers of the HTTP server. */
export const MEDIA_FILE_RULES = {
  'not-decodable': must('3.1'),
  'no-keyframe-at-start': must('4.4.2.1'),
  'part-no-keyframe': must('4.4.4.9'),
  'timestamp-gap': must('4.4.4.3'),
  'tracks-changed': must('4.4.4.3'),
  'segment-duration': must('4.4.4.1'),
  'part-duration': must('4.4.4.9'),
  'bitrate-tag': must('4.4.4.8'),
  'parts-differ-from-segment': must('3.2'),
} as const satisfies Record<string, Rule>;

/** On the answers of the HTTP server. */
export const HTTP_RULES = {
  'playlist-unavailable': must('6.2.1'),
  'playlist-not-utf-8': must('4.1'),
  'playlist-content-type': must('4'),
  'playlist-not-zipped': should('6.2.1'),
  'segment-unavailable': must('6.2.1'),
  'part-unavailable': must('6.2.1'),
  'map-unavailable': must('4.4.4.5'),
  'hint-unavailable': must('6.2.6'),
  'removed-segment-gone': { section: 'rfc8216 §6.2.2', level: 'must' },
  'removed-part-gone': must('6.2.2'),
  'part-without-msn': must('6.2.5.2'),
  'msn-too-far': should('6.2.5.2'),
} as const satisfies Record<string, Rule>;

const RULES = {
  ...SYNTAX_RULES,
  ...MEDIA_RULES,
  ...LIVE_RULES,
  ...MULTIVARIANT_RULES,
  ...MEDIA_FILE_RULES,
  ...HTTP_RULES,
};

export type RuleName = keyof typeof RULES;

/** A rule that was broken, and how. */
export interface Finding {
  readonly rule: RuleName;
  readonly section: string;
  readonly level: Level;
  readonly detail: string;
  readonly playlistUrl: string;
}

/** Takes note of a broken rule. */
export type Report = (rule: RuleName, detail: string) => void;

/** Gathers findings on one playlist. */
export function reporter(playlistUrl: string): { readonly findings: readonly Finding[]; readonly report: Report } {
  const findings: Finding[] = [];
  return { findings, report: (rule, detail) => void findings.push({ rule, ...RULES[rule], detail, playlistUrl }) };
}
