import { type Config, type LiveConfig, settingsFor, tryParseStreamPath } from '@sluice/core';

/** As many paths are remembered; whoever asks for more of them begins anew. */
const MOST_REMEMBERED = 10_000;

/**
 * Whether a CDN asks for all viewers. It comes from many addresses, all of which have to find the same segments, and
 * asks for each once: one process has time for that.
 */
export function isBehindCdn({ http: { origin } }: Config): boolean {
  return origin.allow.length > 0 || origin.secrets.length > 0;
}

/** Tells which streams viewers can go back in: their segments are on the disk of one process, which alone serves them. */
export class PastStreams {
  readonly #live: LiveConfig;
  /** By path as it was written; asked for every segment. */
  readonly #known = new Map<string, boolean>();

  constructor(live: LiveConfig) {
    this.#live = live;
    live.onChange(() => this.#known.clear());
  }

  /** Whether it alone serves all others, too. */
  get isBehindCdn(): boolean {
    return isBehindCdn(this.#live.current);
  }

  has(text: string): boolean {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const path = tryParseStreamPath(text);
    if (path === undefined) return false;
    const hasPast = settingsFor(this.#live.current, path).hls.windowSeconds > 0;
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(text, hasPast);
    return hasPast;
  }
}
