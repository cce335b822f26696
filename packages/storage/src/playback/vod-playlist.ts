import { segmentNameOf } from './segment-name.js';
import { SEGMENT_MICROS, type VodSegment } from './vod-segments.js';

/** Playlists that grow keep their target, so it leaves room for keyframes that come less often. In seconds. */
const LEAST_TARGET = Math.ceil(SEGMENT_MICROS / 1_000_000) + 2;

/**
 * A media playlist, RFC 8216bis §4.
 *
 * @param segments one or more
 * @param isGrowing more will come at its end
 */
export function renderVodPlaylist(segments: readonly VodSegment[], isGrowing: boolean): string {
  const target = segments.reduce(
    (most, { duration }) => Math.max(most, Math.round(duration / 1_000_000)),
    LEAST_TARGET,
  );
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${target}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    `#EXT-X-PLAYLIST-TYPE:${isGrowing ? 'EVENT' : 'VOD'}`,
    '#EXT-X-INDEPENDENT-SEGMENTS',
    // A growing playlist is played from its beginning, too: who wants the newest watches live.
    ...(isGrowing ? ['#EXT-X-START:TIME-OFFSET=0'] : []),
  ];
  let init: string | undefined;
  for (const { file, first, end, offset, duration, live, isDiscontinuous, init: needed } of segments) {
    if (isDiscontinuous) lines.push('#EXT-X-DISCONTINUITY');
    if (needed !== init) lines.push(`#EXT-X-MAP:URI="recordings/${segmentNameOf({ kind: 'init', file: needed })}"`);
    init = needed;
    lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(live).toISOString()}`,
      `#EXTINF:${(duration / 1_000_000).toFixed(6)},`,
      `recordings/${segmentNameOf({ kind: 'media', file, first, end, offset })}`,
    );
  }
  if (!isGrowing) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}
