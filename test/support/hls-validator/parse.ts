import { type Item, type PlaylistOrigin, readLines } from './lines.js';
import { buildMediaPlaylist, type MediaPlaylist } from './media-playlist.js';
import { buildMultivariantPlaylist, type MultivariantPlaylist } from './multivariant-playlist.js';
import { type Finding, type Report, reporter } from './rules.js';
import { TAGS, type TagPlace } from './tags.js';

/** A playlist as far as it could be read, and what is wrong with its text. */
export interface ParsedPlaylist {
  readonly playlist: MediaPlaylist | MultivariantPlaylist;
  readonly findings: readonly Finding[];
}

/** Reads a playlist, strictly. It never throws: what can't be read is left out and reported. rfc8216bis §4 */
export function parsePlaylist(text: string, origin: PlaylistOrigin = {}): ParsedPlaylist {
  const { findings, report } = reporter(origin.url ?? '');
  const { items, variables } = readLines(text, origin, report);
  const isMultivariant = kindOf(items, report) === 'multivariant';
  checkOnce(items, report);
  const playlist = isMultivariant
    ? buildMultivariantPlaylist(items, variables, origin, report)
    : buildMediaPlaylist(items, origin, report);
  return { playlist, findings };
}

const placeOf = (item: Item): TagPlace => (item.name === 'URI' ? 'any' : TAGS[item.name].place);

function kindOf(items: readonly Item[], report: Report): 'media' | 'multivariant' {
  const ofMedia = items.find((item) => ['media', 'segment', 'metadata'].includes(placeOf(item)));
  const ofMultivariant = items.find((item) => placeOf(item) === 'multivariant');
  if (ofMedia !== undefined && ofMultivariant !== undefined) {
    report('mixed-playlist', `${named(ofMedia)} can't be with ${named(ofMultivariant)}`);
  }
  if (ofMedia === undefined && ofMultivariant === undefined) {
    report('playlist-kind', 'no tag says whether this is a media playlist or a multivariant one');
  }
  return ofMultivariant !== undefined && ofMedia === undefined ? 'multivariant' : 'media';
}

const named = ({ name, line }: Item): string => `${name} in line ${line}`;

function checkOnce(items: readonly Item[], report: Report): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (item.name === 'URI' || !TAGS[item.name].once) continue;
    if (seen.has(item.name)) report('tag-once', `${named(item)} is there twice`);
    seen.add(item.name);
  }
}
