import type { Item } from './lines.js';
import { type MediaPlaylist, tagValues } from './media-playlist.js';
import type { MultivariantPlaylist } from './multivariant-playlist.js';
import type { Report } from './rules.js';

/** A version, and what a playlist has that needs it. */
type Need = readonly [version: number, what: string, present: boolean];

/** A playlist of any content may say this without being blamed for saying too much. */
const EVERYBODYS_VERSION = 3;

/** Compares EXT-X-VERSION with what a media playlist uses. rfc8216bis §8 */
export function checkMediaVersion(playlist: MediaPlaylist, report: Report): void {
  const { items, iFramesOnly, skip, segments, version, serverControl } = playlist;
  const keys = tagValues(items, 'EXT-X-KEY');
  const hasMap = items.some(({ name }) => name === 'EXT-X-MAP');
  const needs: Need[] = [
    [2, 'IV of EXT-X-KEY', keys.some(({ IV }) => IV !== undefined)],
    [3, 'EXTINF with a fraction', segments.some(({ inf }) => inf.written.includes('.'))],
    [4, 'EXT-X-BYTERANGE', items.some(({ name }) => name === 'EXT-X-BYTERANGE')],
    [4, 'EXT-X-I-FRAMES-ONLY', iFramesOnly],
    [5, 'sample encryption', keys.some(({ METHOD }) => METHOD.startsWith('SAMPLE-AES'))],
    [5, 'KEYFORMAT', keys.some(({ KEYFORMAT, KEYFORMATVERSIONS }) => (KEYFORMAT ?? KEYFORMATVERSIONS) !== undefined)],
    [5, 'EXT-X-MAP', hasMap],
    [6, 'EXT-X-MAP without EXT-X-I-FRAMES-ONLY', hasMap && !iFramesOnly],
    [9, 'EXT-X-SKIP', skip !== undefined],
    [10, 'EXT-X-SKIP in place of date ranges', skip?.['RECENTLY-REMOVED-DATERANGES'] !== undefined],
    ...needsOfAny(items),
  ];
  compare('version-too-low', version, needs, report);
  // A playlist has the version of its delta updates.
  const ofDeltas = serverControl?.['CAN-SKIP-DATERANGES'] === 'YES' ? 10 : 9;
  const allowed = Math.max(highest(needs), serverControl?.['CAN-SKIP-UNTIL'] === undefined ? 0 : ofDeltas);
  if (version > Math.max(allowed, EVERYBODYS_VERSION)) {
    report('version-too-high', `EXT-X-VERSION is ${version}, and ${allowed} would do`);
  }
}

/** Compares EXT-X-VERSION with what a multivariant playlist uses. rfc8216bis §8 */
export function checkMultivariantVersion({ items, media, version }: MultivariantPlaylist, report: Report): void {
  const inStream = media.filter((rendition) => rendition['INSTREAM-ID'] !== undefined);
  const needs: Need[] = [
    [7, 'INSTREAM-ID of a SERVICE', inStream.some((rendition) => rendition['INSTREAM-ID']?.startsWith('SERVICE'))],
    [13, 'INSTREAM-ID of other than captions', inStream.some(({ TYPE }) => TYPE !== 'CLOSED-CAPTIONS')],
    ...needsOfAny(items),
  ];
  compare('multivariant-version-too-low', version, needs, report);
}

function needsOfAny(items: readonly Item[]): Need[] {
  const defines = tagValues(items, 'EXT-X-DEFINE');
  const variants = [...tagValues(items, 'EXT-X-STREAM-INF'), ...tagValues(items, 'EXT-X-I-FRAME-STREAM-INF')];
  return [
    [8, 'EXT-X-DEFINE', defines.length > 0],
    [11, 'QUERYPARAM of EXT-X-DEFINE', defines.some(({ QUERYPARAM }) => QUERYPARAM !== undefined)],
    [12, 'an attribute REQ-…', variants.some(({ raw }) => [...raw.keys()].some((name) => name.startsWith('REQ-')))],
  ];
}

const highest = (needs: readonly Need[]): number =>
  needs.reduce((most, [version, , present]) => (present ? Math.max(most, version) : most), 1);

function compare(
  rule: 'version-too-low' | 'multivariant-version-too-low',
  version: number,
  needs: readonly Need[],
  report: Report,
): void {
  const required = highest(needs);
  if (version >= required) return;
  const what = needs.find(([needed, , present]) => present && needed === required)?.[1] ?? '';
  report(rule, `EXT-X-VERSION is ${version}, and ${what} needs ${required}`);
}
