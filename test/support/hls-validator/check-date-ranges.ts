import type { MediaPlaylist } from './media-playlist.js';
import type { Report } from './rules.js';
import type { TagValue } from './tags.js';

type DateRange = TagValue<'EXT-X-DATERANGE'>;

/** What dates written to the millisecond may be off, in ms. */
const ROUNDING_MS = 1;

/** A date range in time, ms since 1970; without an end where nobody knows. */
interface Span {
  readonly id: string;
  readonly ofClass: string | undefined;
  readonly endOnNext: boolean;
  readonly start: number;
  readonly end: number | undefined;
}

/** Checks EXT-X-DATERANGE tags. rfc8216bis §4.4.5.1 */
export function checkDateRanges({ dateRanges, items }: MediaPlaylist, report: Report): void {
  if (dateRanges.length === 0) return;
  if (!items.some(({ name }) => name === 'EXT-X-PROGRAM-DATE-TIME')) {
    report('daterange-without-date-time', 'there are date ranges, and no EXT-X-PROGRAM-DATE-TIME');
  }
  const spans: Span[] = [];
  for (const id of new Set(dateRanges.map(({ ID }) => ID))) {
    const range = consolidate(
      id,
      dateRanges.filter(({ ID }) => ID === id),
      report,
    );
    checkOne(id, range, report);
    const start = range['START-DATE']?.at;
    if (start !== undefined) {
      const endOnNext = range['END-ON-NEXT'] !== undefined;
      spans.push({ id, ofClass: range.CLASS, endOnNext, start, end: endOf(range, start) });
    }
  }
  checkOverlaps(spans, report);
}

/** Tags of one id add to each other, and change nothing. */
function consolidate(id: string, tags: readonly DateRange[], report: Report): DateRange {
  const [first, ...others] = tags;
  if (first?.['START-DATE'] === undefined) report('daterange-start', `date range "${id}" begins without START-DATE`);
  const raw = new Map<string, string>(first?.raw);
  for (const other of others) {
    for (const [name, value] of other.raw) {
      const said = raw.get(name);
      if (said !== undefined && said !== value) {
        report('daterange-same-id', `date range "${id}" has ${name}=${said} and ${name}=${value}`);
      }
      raw.set(name, said ?? value);
    }
  }
  return Object.assign({}, ...tags.toReversed(), { raw }) as DateRange;
}

function endOf(range: DateRange, start: number): number | undefined {
  const { DURATION, 'END-DATE': end } = range;
  return end?.at ?? (DURATION === undefined ? undefined : start + DURATION * 1000);
}

function checkOne(id: string, range: DateRange, report: Report): void {
  const { CLASS, CUE, DURATION, 'START-DATE': start, 'END-DATE': end } = range;
  if (start !== undefined && end !== undefined) {
    const length = (end.at - start.at) / 1000;
    if (length < 0) report('daterange-end', `date range "${id}" ends ${-length} s before it begins`);
    else if (DURATION !== undefined && Math.abs(length - DURATION) * 1000 > ROUNDING_MS) {
      report('daterange-duration', `date range "${id}" has a DURATION of ${DURATION} s, and its dates say ${length} s`);
    }
  }
  if (range['END-ON-NEXT'] !== undefined && (CLASS === undefined || DURATION !== undefined || end !== undefined)) {
    report('daterange-end-on-next', `date range "${id}" ends on the next: it needs a CLASS, and no end of its own`);
  }
  if (CUE?.includes('PRE') && CUE.includes('POST')) report('daterange-cue', `date range "${id}" has both PRE and POST`);
}

/** Where one of a class ends on the next, none of that class may overlap. */
function checkOverlaps(spans: readonly Span[], report: Report): void {
  for (const ofClass of new Set(spans.map((span) => span.ofClass))) {
    const ranges = spans.filter((span) => span.ofClass === ofClass);
    if (ofClass === undefined || !ranges.some(({ endOnNext }) => endOnNext)) continue;
    const sorted = ranges.toSorted((a, b) => a.start - b.start);
    sorted.forEach((range, index) => {
      const next = sorted[index + 1];
      if (next === undefined) return;
      const overlaps =
        range.start === next.start || (!range.endOnNext && range.end !== undefined && range.end > next.start);
      if (overlaps) report('daterange-overlap', `"${range.id}" and "${next.id}" of class "${ofClass}" overlap`);
    });
  }
}
