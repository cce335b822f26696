import { type Micros, secondsFromMicros } from '@sluice/media';
import type { Segment } from './segmenter.js';

export interface PlaylistWindow {
  /** Oldest first; one or more. */
  readonly segments: readonly Segment[];
  readonly target: Micros;
  /** Discontinuities before the first segment, RFC 8216 §4.3.3.3. */
  readonly discontinuitySequence: number;
  readonly ended: boolean;
  readonly urlOf: (segment: Segment) => string;
}

/** A live media playlist. RFC 8216 §4.3. */
export function renderPlaylist(window: PlaylistWindow): string {
  const { segments, target, discontinuitySequence, ended, urlOf } = window;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${targetDuration(target, segments)}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.number ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
  ];
  for (const segment of segments) {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startedAt).toISOString()}`,
      `#EXTINF:${secondsFromMicros(segment.duration).toFixed(3)},`,
      urlOf(segment),
    );
  }
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/** Whole seconds that no segment exceeds when rounded, RFC 8216 §4.3.3.1. */
export function targetDuration(target: Micros, segments: readonly Segment[]): number {
  const longest = segments.reduce((most, segment) => Math.max(most, segment.duration), target as number);
  return Math.max(1, Math.round(longest / 1_000_000));
}
