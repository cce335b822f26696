/** Who may keep an answer: whoever passes it on, or the one viewer alone that it was made for. */
export type Audience = 'shared' | 'own';

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
