import {
  type Micros,
  type Millis,
  parseSpliceInfo,
  type SpliceMark,
  secondsFromMicros,
  spliceMarksOf,
} from '@sluice/media';

/** An SCTE 35 section and the wall time at which it is due. */
export interface SpliceCue {
  readonly at: Millis;
  readonly section: Buffer;
}

/** What one `EXT-X-DATERANGE` tag tells, RFC 8216 §4.3.2.7. */
export interface DateRange {
  readonly id: string;
  readonly start: Millis;
  /** As it was announced. */
  readonly planned: Micros | undefined;
  /** As it turned out to be: of ranges that have ended. */
  readonly end: Millis | undefined;
  readonly out: Buffer | undefined;
  readonly in: Buffer | undefined;
  readonly command: Buffer | undefined;
}

interface NamedRange extends DateRange {
  readonly event: string;
  readonly part: string;
}

/**
 * The date ranges of a stream's cues, by their start. Out and in of one event are one range; a cue that is said again
 * is the same; one that is cancelled is gone; an end without a beginning tells nothing that a range could. RFC 8216
 * §4.3.2.7.1.
 *
 * An id is the event's with the second at which it begins, because event ids are used again.
 *
 * @param cues in the order in which they came
 * @throws {MediaError} where a section can't be read
 */
export function dateRangesOf(cues: readonly SpliceCue[]): DateRange[] {
  let ranges: readonly NamedRange[] = [];
  for (const { at, section } of cues) {
    for (const mark of spliceMarksOf(parseSpliceInfo(section))) ranges = marked(ranges, mark, at, section);
  }
  return [...ranges].sort((a, b) => a.start - b.start);
}

/** An `EXT-X-DATERANGE` tag, without the end of the line. RFC 8216 §4.3.2.7. */
export function renderDateRange(range: DateRange): string {
  const { id, start, planned, end, command } = range;
  const attributes = [
    `ID="${id}"`,
    `START-DATE="${new Date(start).toISOString()}"`,
    ...(end === undefined ? [] : [`DURATION=${seconds((end - start) / 1000)}`]),
    ...(planned === undefined ? [] : [`PLANNED-DURATION=${seconds(secondsFromMicros(planned))}`]),
    ...(command === undefined ? [] : [`SCTE35-CMD=${hex(command)}`]),
    ...(range.out === undefined ? [] : [`SCTE35-OUT=${hex(range.out)}`]),
    ...(range.in === undefined ? [] : [`SCTE35-IN=${hex(range.in)}`]),
  ];
  return `#EXT-X-DATERANGE:${attributes.join(',')}`;
}

/** Repetitions of a cue name the same time; senders' clocks are read anew for each. */
const SAME_TIME_MS = 500;

function marked(ranges: readonly NamedRange[], mark: SpliceMark, at: Millis, section: Buffer): readonly NamedRange[] {
  const { event, part, action } = mark;
  const isOfEvent = (range: NamedRange) => range.event === event && (action === 'cancel' || range.part === part);
  if (action === 'cancel') return ranges.filter((range) => !isOfEvent(range) || range.end !== undefined);
  if (action === 'in') {
    const ended = ranges.findLast((range) => isOfEvent(range) && range.end === undefined && range.start <= at);
    return ranges.map((range) => (range === ended ? { ...range, end: at, in: section } : range));
  }
  const isKnown = ranges.some((range) => isOfEvent(range) && Math.abs(range.start - at) <= SAME_TIME_MS);
  return isKnown ? ranges : [...ranges, rangeFrom(mark, at, section)];
}

function rangeFrom({ event, part, action, planned }: SpliceMark, at: Millis, section: Buffer): NamedRange {
  return {
    event,
    part,
    id: `${event}${part}-${Math.floor(at / 1000)}`,
    start: at,
    planned,
    end: undefined,
    out: action === 'out' ? section : undefined,
    in: undefined,
    command: action === 'command' ? section : undefined,
  };
}

/** A decimal-floating-point without needless zeros, RFC 8216 §4.2. */
function seconds(value: number): string {
  return String(Number(value.toFixed(3)));
}

/** A hexadecimal-sequence, RFC 8216 §4.2. */
function hex(section: Buffer): string {
  return `0x${section.toString('hex').toUpperCase()}`;
}
