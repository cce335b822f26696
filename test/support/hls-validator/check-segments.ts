import { durationOf, type MediaPlaylist, type MediaSegment, withParts } from './media-playlist.js';
import type { Report } from './rules.js';
import type { TagValue } from './tags.js';

/** Seconds that dates may be off the durations between them. */
const DATE_TOLERANCE = 0.1;
/** Seconds that a segment may overlap the one before it by its date. rfc8216bis §6.2.1 */
const DATE_OVERLAP = 1;
/** The first version in which a target duration bounds what is rounded. rfc8216bis §8 */
const ROUNDING_VERSION = 6;
const FMP4 = /\.(mp4|m4s|m4v|m4a|cmfv|cmfa)(\?|$)/i;
const IV_DIGITS = 32;

/** Checks the durations, dates, keys and init sections of a media playlist's segments. */
export function checkSegments(playlist: MediaPlaylist, report: Report): void {
  checkTargetDuration(playlist, report);
  checkStart(playlist, report);
  checkByteRanges(playlist, report);
  checkMaps(playlist, report);
  checkDates(playlist, report);
  for (const item of playlist.items) {
    if (item.name === 'EXT-X-KEY') checkKey(item.value, `EXT-X-KEY in line ${item.line}`, report);
  }
}

/** For messages. */
export const named = ({ number, uri }: MediaSegment): string => `segment ${number} (${uri})`;

function checkTargetDuration({ targetDuration, segments, version }: MediaPlaylist, report: Report): void {
  if (targetDuration === undefined) {
    report('target-duration-missing', 'there is no EXT-X-TARGETDURATION');
    return;
  }
  if (targetDuration === 0) report('target-duration-zero', 'EXT-X-TARGETDURATION is 0');
  for (const segment of segments) {
    const { duration } = segment.inf;
    const said = `${named(segment)} of ${duration} s, over the target duration of ${targetDuration} s`;
    if (Math.round(duration) > targetDuration) report('segment-too-long', said);
    else if (version < ROUNDING_VERSION && duration > targetDuration) {
      report('segment-too-long-before-version-6', `${said} by which version ${version} means what isn't rounded`);
    }
  }
}

function checkStart(playlist: MediaPlaylist, report: Report): void {
  const offset = playlist.start?.['TIME-OFFSET'];
  if (offset === undefined) return;
  const duration = durationOf(playlist);
  const fromEnd = offset < 0 ? -offset : duration - offset;
  const tooLate = !playlist.ended && fromEnd < 3 * (playlist.targetDuration ?? 0);
  if (Math.abs(offset) > duration) {
    report('start-outside', `TIME-OFFSET=${offset} is outside of a playlist of ${duration} s`);
  } else if (tooLate) {
    report('start-outside', `TIME-OFFSET=${offset} is ${fromEnd} s from the end, less than three target durations`);
  }
}

function checkByteRanges({ items, segments, skip }: MediaPlaylist, report: Report): void {
  segments.forEach((segment, index) => {
    if (segment.byteRange === undefined || segment.byteRange.offset !== undefined) return;
    const before = segments[index - 1];
    const unknown = before === undefined && skip !== undefined;
    if (unknown || (before?.byteRange !== undefined && before.uri === segment.uri)) return;
    report('byterange-start', `${named(segment)} has no offset, and none before it of the same resource`);
  });
  for (const item of items) {
    if (item.name === 'EXT-X-MAP' && item.value.BYTERANGE !== undefined && item.value.BYTERANGE.offset === undefined) {
      report('byterange-start', `BYTERANGE of EXT-X-MAP in line ${item.line} has no offset`);
    }
  }
}

function checkMaps(playlist: MediaPlaylist, report: Report): void {
  // What a delta update leaves out may have had it.
  const heads = playlist.skip === undefined ? withParts(playlist) : [];
  for (const head of heads) {
    const uri = 'uri' in head ? (head as MediaSegment).uri : (head.parts[0]?.uri ?? '');
    if (FMP4.test(uri) && head.map === undefined) {
      report('map-missing', `segment ${head.number} (${uri}) is of MP4, and has no EXT-X-MAP before it`);
    }
  }
  let key: TagValue<'EXT-X-KEY'> | undefined;
  for (const item of playlist.items) {
    if (item.name === 'EXT-X-KEY') key = item.value;
    if (item.name === 'EXT-X-MAP' && key?.METHOD === 'AES-128' && key.IV === undefined) {
      report('map-key-iv', `EXT-X-MAP in line ${item.line} is encrypted by a key without IV`);
    }
  }
}

/** Checks the attributes of EXT-X-KEY or EXT-X-SESSION-KEY. rfc8216bis §4.4.4.4 */
export function checkKey(key: TagValue<'EXT-X-KEY'>, where: string, report: Report): void {
  const { METHOD, URI, IV, KEYFORMATVERSIONS, raw } = key;
  if (METHOD === 'NONE') {
    if (raw.size > 1) report('key-none', `${where} has METHOD=NONE and ${[...raw.keys()].join(', ')}`);
    return;
  }
  if (URI === undefined) report('key-uri', `${where} has METHOD=${METHOD} and no URI`);
  if (IV !== undefined && IV.length !== IV_DIGITS) report('key-iv', `${where} has an IV of ${IV.length * 4} bits`);
  if (IV !== undefined && (METHOD === 'AES-256-GCM' || METHOD === 'SAMPLE-AES-CTR')) {
    report('key-iv', `${where} has an IV, which ${METHOD} doesn't take`);
  }
  if (KEYFORMATVERSIONS !== undefined && !/^[1-9]\d*(\/[1-9]\d*)*$/.test(KEYFORMATVERSIONS)) {
    report('key-format-versions', `${where} has KEYFORMATVERSIONS="${KEYFORMATVERSIONS}"`);
  }
}

/** When each segment begins, ms since 1970, as far as its own or an earlier date tells. */
export function datesOf({ segments }: MediaPlaylist): readonly (number | undefined)[] {
  let next: number | undefined;
  return segments.map(({ dateTime, discontinuities, inf }) => {
    const at = dateTime?.at ?? (discontinuities > 0 ? undefined : next);
    next = at === undefined ? undefined : at + inf.duration * 1000;
    return at;
  });
}

function checkDates(playlist: MediaPlaylist, report: Report): void {
  const { segments } = playlist;
  const dates = datesOf(playlist);
  const hasDates = segments.some(({ dateTime }) => dateTime !== undefined);
  segments.forEach((segment, index) => {
    const { dateTime, discontinuities } = segment;
    if (dateTime === undefined) {
      if (hasDates && discontinuities > 0) {
        report('date-time-after-discontinuity', `${named(segment)} follows a discontinuity and has no date`);
      }
      return;
    }
    if (!dateTime.exact) report('date-time-zone', `the date of ${named(segment)} has no time zone or no milliseconds`);
    const before = segments[index - 1];
    const startBefore = dates[index - 1];
    if (before === undefined || startBefore === undefined) return;
    const off = (dateTime.at - startBefore) / 1000 - before.inf.duration;
    if (off <= -DATE_OVERLAP || dateTime.at <= startBefore) {
      report('date-time-ambiguous', `${named(segment)} begins ${(-off).toFixed(3)} s before ${named(before)} ends`);
    } else if (discontinuities === 0 && Math.abs(off) > DATE_TOLERANCE) {
      report('date-time-drift', `the date of ${named(segment)} is ${off.toFixed(3)} s off the end of ${named(before)}`);
    }
  });
}
