import type { LiveRange } from '@sluice/core';

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;
/** As Go writes durations, which MediaMTX took before it took seconds. */
const GO_DURATION = /^(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?$/;
const SECONDS = /^\d{1,10}(?:\.\d{1,20})?$/;

/** Something in a URL that can't be read. The message is for who wrote it. */
export class BadQuery extends Error {
  override readonly name = 'BadQuery';
  /** Stable: answers name it. */
  readonly code: 'bad-time' | 'bad-format';

  constructor(code: BadQuery['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * A time as RFC 3339 has it, in ms since 1970. A `+` that was not escaped comes as a space.
 *
 * @throws {BadQuery}
 */
export function timeOf(text: string, parameter: string): number {
  const mended = text.replace(/ (?=\d\d:\d\d$)/, '+');
  const time = RFC_3339.test(mended) ? Date.parse(mended) : Number.NaN;
  if (Number.isFinite(time)) return time;
  const way = 'write it as RFC 3339 has it, as in 2026-11-21T10:00:00Z';
  throw new BadQuery('bad-time', `${parameter}=${text.slice(0, 60)} is no time; ${way}`);
}

/**
 * A duration in seconds (`90.5`) or as `1h2m3.5s`, in ms.
 *
 * @throws {BadQuery}
 */
export function durationOf(text: string): number {
  if (SECONDS.test(text) && Number(text) > 0) return Number(text) * 1000;
  const [whole = '', hours = '0', minutes = '0', seconds = '0'] = GO_DURATION.exec(text) ?? [];
  const duration = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  if (whole !== '' && duration > 0) return duration;
  throw new BadQuery('bad-time', `duration=${text.slice(0, 60)} is no duration; write seconds, as in 90.5`);
}

/**
 * The live time that `start` and `end` or `duration` of a query tell.
 *
 * @throws {BadQuery}
 */
export function rangeOf(query: URLSearchParams): Partial<LiveRange> {
  const [start, end, duration] = ['start', 'end', 'duration'].map((name) => query.get(name) ?? undefined);
  const from = start === undefined ? undefined : timeOf(start, 'start');
  const until = end === undefined ? undefined : timeOf(end, 'end');
  if (from === undefined && duration !== undefined) throw new BadQuery('bad-time', 'a duration needs a start');
  const to = from !== undefined && duration !== undefined ? from + durationOf(duration) : until;
  if (from !== undefined && to !== undefined && to <= from)
    throw new BadQuery('bad-time', 'the end has to be after the start');
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}
