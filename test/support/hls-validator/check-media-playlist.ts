import { checkDateRanges } from './check-date-ranges.js';
import { checkLowLatency } from './check-low-latency.js';
import { checkSegments } from './check-segments.js';
import { checkMediaVersion } from './check-version.js';
import type { MediaPlaylist } from './media-playlist.js';
import { type Finding, reporter } from './rules.js';

/** Checks one media playlist by itself, as far as its text goes. rfc8216bis §4.4, §6.2 */
export function checkMediaPlaylist(playlist: MediaPlaylist): readonly Finding[] {
  const { findings, report } = reporter(playlist.url);
  checkMediaVersion(playlist, report);
  checkSegments(playlist, report);
  checkLowLatency(playlist, report);
  checkDateRanges(playlist, report);
  return findings;
}
