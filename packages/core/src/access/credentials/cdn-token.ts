import { createHmac } from 'node:crypto';

/**
 * Makes what goes in front of a stream's path for a CDN that checks it itself: `~`, the time until which it holds in
 * Unix seconds, `~`, the prefix of all paths that it is for in base64url, `~`, and the HMAC-SHA256 of what stands between
 * the first `~` and the last one, in base64url. Playlists name what they list relative to themselves, so that players
 * send it along with each segment, and all viewers share what is cached behind it.
 *
 * @param path a stream path (`live/show`), or all of an app (`live/*`)
 */
export function makeCdnToken(secret: string, { path, expires }: { path: string; expires: number }): string {
  const prefix = `/${path.endsWith('/*') ? path.slice(0, -1) : path}`;
  const payload = `${Math.floor(expires)}~${Buffer.from(prefix).toString('base64url')}`;
  const mac = createHmac('sha256', secret).update(payload).digest('base64url');
  return `~${payload}~${mac}`;
}
