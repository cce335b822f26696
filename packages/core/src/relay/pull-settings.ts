import { renditionOf } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { pathFits } from '../path-pattern.js';
import type { StreamPath } from '../stream-path.js';
import { RelayUrl } from './relay-url.js';

/** Where a path is pulled from, and when. */
export interface PullSettings {
  readonly url: RelayUrl;
  readonly mode: 'always' | 'onDemand';
  /** After which time without viewers a stream that was pulled for them is given up. */
  readonly idleSeconds: number;
  /** After which time without media it is taken anew. */
  readonly stallSeconds: number;
  /** Whether the origin is asked by each viewer's own query. */
  readonly passQuery: boolean;
}

/**
 * From where a path is pulled: as the longest pattern says that fits and pulls.
 *
 * @returns undefined for a path that isn't pulled. A rendition is made here, of its source
 */
export function pullFor(config: Config, path: StreamPath): PullSettings | undefined {
  let best: string | undefined;
  for (const [pattern, { pull }] of Object.entries(config.paths)) {
    if (pull === undefined || !pathFits(pattern, path)) continue;
    if (best === undefined || pattern.length >= best.length) best = pattern;
  }
  const pull = best === undefined ? undefined : config.paths[best]?.pull;
  if (best === undefined || pull === undefined || renditionOf(config, path) !== undefined) return undefined;
  const url = RelayUrl.of(pull.url, path);
  if (url === undefined) return undefined;
  const { idleSeconds, stallSeconds, passQuery, mode = best.includes('*') ? 'onDemand' : 'always' } = pull;
  return { url, mode, idleSeconds, stallSeconds, passQuery };
}
