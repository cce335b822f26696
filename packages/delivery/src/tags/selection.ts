import type { StreamDescription } from '@sluice/core';
import type { TrackConfig } from '@sluice/media';

/** Which media a viewer asked for. */
export interface MediaSelection {
  readonly audio: boolean;
  readonly video: boolean;
}

/** Reads `?audio=0` and `?video=0`. */
export function selectionOf(query: URLSearchParams): MediaSelection {
  return { audio: query.get('audio') !== '0', video: query.get('video') !== '0' };
}

/** The first video and the first audio track: what formats and players for one of each can carry. */
export function primaryTracks(
  description: StreamDescription,
  selection: MediaSelection = { audio: true, video: true },
): TrackConfig[] {
  const first = (kind: 'video' | 'audio') => description.tracks.find((config) => config.kind === kind);
  const tracks = [selection.video ? first('video') : undefined, selection.audio ? first('audio') : undefined];
  return tracks.filter((config) => config !== undefined);
}
