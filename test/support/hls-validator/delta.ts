import type { MediaPlaylist, MediaSegment } from './media-playlist.js';
import type { Report } from './rules.js';

/** What a segment was, for it to stay: all that is said of it but its parts. */
export function differenceOf(was: MediaSegment, is: MediaSegment, isFirst: boolean): string | undefined {
  const say = (what: string, before: unknown, now: unknown) =>
    `${what} of segment ${was.number} was ${JSON.stringify(before) ?? 'none'}, and is ${JSON.stringify(now) ?? 'none'}`;
  if (was.uri !== is.uri) return say('the URI', was.uri, is.uri);
  if (was.inf.duration !== is.inf.duration) return say('the duration', was.inf.duration, is.inf.duration);
  if (was.gap !== is.gap) return say('EXT-X-GAP', was.gap, is.gap);
  if (was.map?.URI !== is.map?.URI) return say('the init section', was.map?.URI, is.map?.URI);
  if (JSON.stringify(was.byteRange) !== JSON.stringify(is.byteRange)) {
    return say('the byte range', was.byteRange, is.byteRange);
  }
  const keysOf = ({ keys }: MediaSegment) => keys.map(({ raw }) => [...raw].join());
  if (keysOf(was).join() !== keysOf(is).join()) return say('the key', keysOf(was), keysOf(is));
  // Dates may be left out as long as they follow from others, and a discontinuity before the first with what was before.
  if (was.dateTime !== undefined && is.dateTime !== undefined && was.dateTime.at !== is.dateTime.at) {
    return say('the date', new Date(was.dateTime.at), new Date(is.dateTime.at));
  }
  if (!isFirst && was.discontinuities !== is.discontinuities) {
    return say('the count of discontinuities', was.discontinuities, is.discontinuities);
  }
  return undefined;
}

/**
 * Puts back what a delta update has left out. rfc8216bis §6.3.7
 *
 * @returns undefined where the earlier playlist hasn't got all of it
 */
export function mergeDelta(earlier: MediaPlaylist, delta: MediaPlaylist): MediaPlaylist | undefined {
  if (delta.skip === undefined) return delta;
  const first = delta.mediaSequence + delta.skip['SKIPPED-SEGMENTS'];
  const skipped = earlier.segments.filter(({ number }) => number >= delta.mediaSequence && number < first);
  if (skipped.length !== delta.skip['SKIPPED-SEGMENTS']) return undefined;
  // What a skipped tag says goes on behind the skip.
  const last = skipped.at(-1);
  const missed = (last?.discontinuitySequence ?? delta.discontinuitySequence) - delta.discontinuitySequence;
  const carriedOn = <T extends MediaPlaylist['open']>(head: T): T => ({
    ...head,
    discontinuitySequence: head.discontinuitySequence + missed,
    map: head.map ?? last?.map,
    keys: head.keys.length > 0 || delta.items.some(({ name }) => name === 'EXT-X-KEY') ? head.keys : (last?.keys ?? []),
  });
  const segments = [...skipped, ...delta.segments.map(carriedOn)];
  return { ...delta, skip: undefined, segments, open: carriedOn(delta.open) };
}

/**
 * Compares a delta update with whole playlists loaded right before and after it. rfc8216bis §6.2.5.1
 */
export function checkDelta(before: MediaPlaylist, delta: MediaPlaylist, after: MediaPlaylist, report: Report): void {
  if (delta.skip === undefined) {
    const boundary = delta.serverControl?.['CAN-SKIP-UNTIL'];
    let fromEnd = 0;
    const behind = delta.segments.toReversed().filter(({ inf }) => {
      const isBehind = boundary !== undefined && fromEnd > boundary;
      fromEnd += inf.duration;
      return isBehind;
    });
    if (behind.length > 0 && !delta.ended) {
      report(
        'delta-not-given',
        `${behind.length} segments are behind the skip boundary of ${boundary} s, and are there`,
      );
    }
    return;
  }
  const merged = mergeDelta(before, delta);
  if (merged === undefined) {
    report('delta-mismatch', `EXT-X-SKIP leaves out ${delta.skip['SKIPPED-SEGMENTS']}, and not all of them were there`);
    return;
  }
  if (delta.mediaSequence === after.mediaSequence && delta.discontinuitySequence !== after.discontinuitySequence) {
    const numbers = `${delta.discontinuitySequence} in the delta update, and ${after.discontinuitySequence} after it`;
    report('delta-mismatch', `EXT-X-DISCONTINUITY-SEQUENCE is ${numbers}`);
  }
  for (const segment of merged.segments) {
    const whole = after.segments.find(({ number }) => number === segment.number);
    if (whole === undefined) {
      if (segment.number >= after.mediaSequence) {
        report('delta-mismatch', `segment ${segment.number} is in the delta update, and not in the playlist after it`);
      }
      continue;
    }
    const difference = differenceOf(segment, whole, segment.number === after.mediaSequence);
    if (difference !== undefined) report('delta-mismatch', `in the delta update ${difference} in the whole playlist`);
    if (segment.discontinuitySequence !== whole.discontinuitySequence) {
      report(
        'delta-mismatch',
        `segment ${segment.number} has another discontinuity sequence number in the delta update`,
      );
    }
  }
}
