import type { AccessSettings } from '@sluice/core';

/** Who may keep an answer: whoever passes it on, or the one viewer alone that it was made for. */
type Audience = 'shared' | 'own';

/**
 * The audience of a stream's playlists and segments. What not everybody may have, nobody may pass on: whoever asks for it
 * there isn't asked who they are.
 *
 * @param key of the viewer's session, where it has one
 */
export function audienceOf(key: string | undefined, { play, playAllow, playDeny }: AccessSettings): Audience {
  const isForAll = play === 'open' && playAllow.length === 0 && playDeny.length === 0;
  return key === undefined && isForAll ? 'shared' : 'own';
}

/** `Cache-Control` of what never changes under its name: segments, parts, init segments. */
export function unchanging(audience: Audience): string {
  return `${audience === 'shared' ? 'public' : 'private'}, max-age=3600, immutable`;
}

/**
 * `Cache-Control` of what changes under its name: playlists and MPDs. Browsers ask each time; caches that many share
 * keep it for so long that a crowd costs one request, and nobody gets much older news.
 */
export function changing(audience: Audience, sharedSeconds: number): string {
  if (audience === 'own') return 'private, no-store';
  return `public, max-age=0, s-maxage=${Math.max(1, Math.floor(sharedSeconds))}`;
}
