import type { Item, PlaylistOrigin } from './lines.js';
import { tagValue, tagValues } from './media-playlist.js';
import type { Report } from './rules.js';
import type { TagValue } from './tags.js';

/** A variant stream: what EXT-X-STREAM-INF says, and its media playlist. */
export interface Variant {
  readonly uri: string;
  readonly inf: TagValue<'EXT-X-STREAM-INF'>;
}

/** A multivariant playlist. rfc8216bis §4.4.6 */
export interface MultivariantPlaylist {
  readonly kind: 'multivariant';
  readonly url: string;
  readonly items: readonly Item[];
  readonly version: number;
  readonly independentSegments: boolean;
  readonly variants: readonly Variant[];
  readonly media: readonly TagValue<'EXT-X-MEDIA'>[];
  readonly iFrameVariants: readonly TagValue<'EXT-X-I-FRAME-STREAM-INF'>[];
  readonly sessionData: readonly TagValue<'EXT-X-SESSION-DATA'>[];
  readonly sessionKeys: readonly TagValue<'EXT-X-SESSION-KEY'>[];
  readonly steering: TagValue<'EXT-X-CONTENT-STEERING'> | undefined;
  /** For the media playlists that it lists. */
  readonly variables: ReadonlyMap<string, string>;
}

/** Puts the tags of a multivariant playlist together. */
export function buildMultivariantPlaylist(
  items: readonly Item[],
  variables: ReadonlyMap<string, string>,
  origin: PlaylistOrigin,
  report: Report,
): MultivariantPlaylist {
  const variants: Variant[] = [];
  items.forEach((item, index) => {
    const before = items[index - 1];
    const after = items[index + 1];
    if (item.name === 'EXT-X-STREAM-INF' && after?.name !== 'URI') {
      report('uri-line', `EXT-X-STREAM-INF in line ${item.line} is followed by no URI`);
    }
    if (item.name !== 'URI') return;
    if (before?.name === 'EXT-X-STREAM-INF') variants.push({ uri: item.value, inf: before.value });
    else report('uri-line', `the URI in line ${item.line} has no EXT-X-STREAM-INF`);
  });
  return {
    kind: 'multivariant',
    url: origin.url ?? '',
    items,
    version: tagValue(items, 'EXT-X-VERSION') ?? 1,
    independentSegments: tagValue(items, 'EXT-X-INDEPENDENT-SEGMENTS') ?? false,
    variants,
    media: tagValues(items, 'EXT-X-MEDIA'),
    iFrameVariants: tagValues(items, 'EXT-X-I-FRAME-STREAM-INF'),
    sessionData: tagValues(items, 'EXT-X-SESSION-DATA'),
    sessionKeys: tagValues(items, 'EXT-X-SESSION-KEY'),
    steering: tagValue(items, 'EXT-X-CONTENT-STEERING'),
    variables,
  };
}
