import { durationOf, type MediaPlaylist, type MediaSegment, type Part, sum, withParts } from './media-playlist.js';
import type { Report } from './rules.js';

/** Of the part target duration. rfc8216bis §4.4.4.9 */
const SHORTEST_PART = 0.85;
/** What seconds written in decimals may be off. */
const ROUNDING = 1e-6;
/** What sums of such may be off: so much, and so much for each part. */
const SUM_ROUNDING = { all: 0.005, each: 0.001 };

/** Checks parts, server control, hints, reports and skips of a media playlist. */
export function checkLowLatency(playlist: MediaPlaylist, report: Report): void {
  checkServerControl(playlist, report);
  checkParts(playlist, report);
  checkHints(playlist, report);
  checkReports(playlist, report);
  checkSkip(playlist, report);
}

function checkServerControl({ partTarget, serverControl, targetDuration = 0 }: MediaPlaylist, report: Report): void {
  const {
    'HOLD-BACK': holdBack,
    'PART-HOLD-BACK': partHoldBack,
    'CAN-SKIP-UNTIL': skipUntil,
    'CAN-SKIP-DATERANGES': skipDateRanges,
    'CAN-BLOCK-RELOAD': block,
  } = serverControl ?? {};
  const low = (value: number | undefined, least: number) => value !== undefined && value < least - ROUNDING;
  if (low(holdBack, 3 * targetDuration)) {
    report('hold-back-low', `HOLD-BACK=${holdBack} is below three target durations of ${targetDuration} s`);
  }
  if (low(skipUntil, 6 * targetDuration)) {
    report('can-skip-until-low', `CAN-SKIP-UNTIL=${skipUntil} is below six target durations of ${targetDuration} s`);
  }
  if (skipDateRanges !== undefined && skipUntil === undefined) {
    report('can-skip-dateranges', 'CAN-SKIP-DATERANGES is there without CAN-SKIP-UNTIL');
  }
  if (partTarget === undefined) return;
  if (block === undefined) report('can-block-reload-missing', 'there are parts, and no CAN-BLOCK-RELOAD=YES');
  if (partHoldBack === undefined) report('part-hold-back-missing', 'there is EXT-X-PART-INF, and no PART-HOLD-BACK');
  if (low(partHoldBack, 2 * partTarget)) {
    report('part-hold-back-low', `PART-HOLD-BACK=${partHoldBack} is below two part targets of ${partTarget} s`);
  } else if (low(partHoldBack, 3 * partTarget)) {
    report(
      'part-hold-back-below-advised',
      `PART-HOLD-BACK=${partHoldBack} is below three part targets of ${partTarget} s`,
    );
  }
}

function checkParts(playlist: MediaPlaylist, report: Report): void {
  const { partTarget, segments, ended, iFramesOnly, independentSegments } = playlist;
  const heads = withParts(playlist).filter(({ parts }) => parts.length > 0);
  if (heads.length === 0) {
    if (partTarget !== undefined && segments.length > 0 && !ended) {
      report('parts-missing', 'there is EXT-X-PART-INF, and no EXT-X-PART at the live edge');
    }
    return;
  }
  if (iFramesOnly) report('part-in-i-frames', 'a playlist of I-frames has parts');
  if (partTarget === undefined) report('part-inf-missing', 'there are parts, and no EXT-X-PART-INF');
  heads.forEach(({ number, parts }, index) => {
    const segment = segments.find((candidate) => candidate.number === number);
    if (partTarget !== undefined) checkPartDurations(number, parts, partTarget, report);
    checkPartRanges(number, parts, report);
    // The first parts of the first one may have been removed.
    const isWhole = index > 0 || (segment !== undefined && Math.abs(excess(segment)) <= tolerance(segment));
    if (independentSegments && isWhole && parts[0]?.independent === false && !parts[0].gap) {
      report('part-independent', `part 0 of segment ${number} begins a segment and is not INDEPENDENT=YES`);
    }
    if (segment !== undefined) checkAgainstSegment(segment, isWhole, report);
  });
  checkAge(playlist, report);
}

function checkPartDurations(number: number, parts: readonly Part[], partTarget: number, report: Report): void {
  parts.forEach(({ duration, independent, gap }, index) => {
    const said = `part ${index} of segment ${number} takes ${duration} s`;
    if (duration > partTarget + ROUNDING) report('part-too-long', `${said}, over the part target of ${partTarget} s`);
    const next = parts[index + 1];
    const mayBeShort = independent || gap || next === undefined || next.gap;
    if (!mayBeShort && duration < SHORTEST_PART * partTarget - ROUNDING) {
      report('part-too-short', `${said}, under 85 % of the part target of ${partTarget} s`);
    }
  });
}

function checkPartRanges(number: number, parts: readonly Part[], report: Report): void {
  parts.forEach(({ uri, byteRange }, index) => {
    if (byteRange === undefined || byteRange.offset !== undefined) return;
    const before = parts[index - 1];
    if (before?.byteRange !== undefined && before.uri === uri) return;
    report('part-byterange', `part ${index} of segment ${number} has no offset, and none before it of ${uri}`);
  });
}

const excess = ({ parts, inf }: MediaSegment): number => sum(parts.map(({ duration }) => duration)) - inf.duration;
const tolerance = ({ parts }: MediaSegment): number => SUM_ROUNDING.all + SUM_ROUNDING.each * parts.length;

function checkAgainstSegment(segment: MediaSegment, isWhole: boolean, report: Report): void {
  const { number, parts, inf, gap } = segment;
  const over = excess(segment);
  if (over > tolerance(segment) || (isWhole && over < -tolerance(segment))) {
    const total = (inf.duration + over).toFixed(3);
    report('parts-sum', `the parts of segment ${number} take ${total} s, and its EXTINF says ${inf.duration} s`);
  }
  if (gap !== parts.every((part) => part.gap)) {
    report(
      'part-gap',
      `segment ${number} ${gap ? 'is a gap, and not all its parts are' : 'is no gap, and its parts are'}`,
    );
  }
}

/** rfc8216bis §6.2.2 */
function checkAge(playlist: MediaPlaylist, report: Report): void {
  const { segments, targetDuration = 0 } = playlist;
  let left = durationOf(playlist);
  for (const { number, parts, inf } of segments) {
    left -= inf.duration;
    if (parts.length > 0 && left > 3 * targetDuration + ROUNDING) {
      report('parts-far-from-end', `segment ${number} ends ${left.toFixed(3)} s before the playlist and has parts`);
    }
  }
}

function checkHints(playlist: MediaPlaylist, report: Report): void {
  const { hints, ended, partTarget } = playlist;
  const parts = withParts(playlist).flatMap((head) => head.parts);
  if (ended) {
    if (hints.length > 0) report('preload-hint-after-end', 'a playlist that has ended has EXT-X-PRELOAD-HINT');
    return;
  }
  for (const type of ['PART', 'MAP']) {
    if (hints.filter(({ TYPE }) => TYPE === type).length > 1) {
      report('preload-hint-twice', `there is more than one EXT-X-PRELOAD-HINT of TYPE=${type}`);
    }
  }
  const hint = hints.find(({ TYPE }) => TYPE === 'PART');
  if (hint === undefined) {
    if (partTarget !== undefined && parts.length > 0) {
      report('preload-hint-missing', 'there are parts, and no EXT-X-PRELOAD-HINT of the next');
    }
    return;
  }
  const start = hint['BYTERANGE-START'] ?? 0;
  const listed = parts.findLast(({ uri }) => uri === hint.URI);
  const isListed = listed !== undefined && start < endOf(parts, listed);
  if (isListed) report('preload-hint-stale', `${hint.URI} is hinted at, and listed already`);
}

/** Where a part ends within its resource. */
function endOf(parts: readonly Part[], part: Part): number {
  const { byteRange, uri } = part;
  if (byteRange === undefined) return Number.POSITIVE_INFINITY;
  if (byteRange.offset !== undefined) return byteRange.offset + byteRange.length;
  const before = parts[parts.indexOf(part) - 1];
  return (before?.uri === uri ? endOf(parts, before) : 0) + byteRange.length;
}

function checkReports({ reports }: MediaPlaylist, report: Report): void {
  for (const { URI } of reports) {
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(URI))
      report('rendition-report-uri', `${URI} is not relative to the playlist`);
  }
}

function checkSkip({ skip, ended, serverControl, segments }: MediaPlaylist, report: Report): void {
  if (skip === undefined) return;
  const boundary = serverControl?.['CAN-SKIP-UNTIL'];
  if (boundary === undefined || ended) {
    report('skip-not-offered', `EXT-X-SKIP is in a playlist ${ended ? 'that has ended' : 'without CAN-SKIP-UNTIL'}`);
    return;
  }
  const left = sum(segments.map(({ inf }) => inf.duration));
  if (left < boundary - ROUNDING) {
    report('skip-too-much', `${left.toFixed(3)} s are left, and the last ${boundary} s must not be skipped`);
  }
}
