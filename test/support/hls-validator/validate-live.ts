import { checkMultivariantPlaylist } from './check-multivariant-playlist.js';
import { Findings, loadPlaylist } from './load-playlist.js';
import { type FollowOptions, MediaFollower } from './media-follower.js';
import type { MultivariantPlaylist } from './multivariant-playlist.js';
import type { Finding } from './rules.js';

const DEFAULT_SECONDS = 10;

/** How long to watch: until the first of these is reached, and never beyond the end of the stream. */
export interface ValidateOptions {
  /** 10 unless told. */
  readonly seconds?: number;
  /** Segments of each media playlist, those of its first load included. */
  readonly segments?: number;
  /** Whether to look into the media with ffprobe and ffmpeg; unless told otherwise, yes. */
  readonly media?: boolean;
  /** What segments and parts may be late by on a machine that is busy; 0.25 unless told. */
  readonly jitterSeconds?: number;
  /** Ends it early; what was found so far counts. */
  readonly signal?: AbortSignal;
}

/**
 * Watches an HLS presentation over HTTP as a player does, and checks its playlists, its media and its server.
 *
 * @param url of a multivariant playlist or a media playlist
 * @returns each broken rule; those of level `should` are advice
 */
export async function validateLive(url: string, options: ValidateOptions = {}): Promise<readonly Finding[]> {
  const { seconds = DEFAULT_SECONDS, segments = Number.POSITIVE_INFINITY, media = true } = options;
  const signal = options.signal ?? new AbortController().signal;
  const findings = new Findings();
  const common = { seconds, segments, media, signal, findings, jitterSeconds: options.jitterSeconds };
  const loaded = await loadPlaylist(url, { name: url, signal, findings });
  if (loaded === undefined) return findings.all;
  if (loaded.playlist.kind === 'multivariant') await followAll(loaded.playlist, url, loaded.answer.url, common);
  else await new MediaFollower(url, { ...common, parent: undefined }).run(loaded);
  return findings.all;
}

async function followAll(
  playlist: MultivariantPlaylist,
  name: string,
  base: string,
  common: Omit<FollowOptions, 'parent'>,
): Promise<void> {
  const uris = [
    ...playlist.variants.map(({ uri }) => uri),
    ...playlist.media.flatMap(({ URI }) => URI ?? []),
    ...playlist.iFrameVariants.map(({ URI }) => URI),
  ];
  const followers = [...new Set(uris)].map((uri) => ({
    uri,
    follower: new MediaFollower(new URL(uri, base).href, { ...common, parent: playlist }),
  }));
  await Promise.all(followers.map(({ follower }) => follower.run()));
  const members = followers.flatMap(({ uri, follower: { member } }) =>
    member === undefined ? [] : [[uri, member] as const],
  );
  common.findings.add(checkMultivariantPlaylist({ ...playlist, url: name }, new Map(members)));
}
