import type { StreamPath } from '../stream-path.js';
import type { Session } from './session.js';

/** How many sessions are open, as limits count them. */
export interface SessionCounts {
  readonly size: number;
  ofStream(path: StreamPath): number;
  ofIp(ip: string): number;
  ofViewer(viewer: string): number;
}

/** What keeps sessions, and counts them as limits do. */
export abstract class SessionTally implements SessionCounts {
  readonly #perStream = new Map<StreamPath, number>();
  readonly #perIp = new Map<string, number>();
  readonly #perViewer = new Map<string, number>();

  abstract get size(): number;

  ofStream(path: StreamPath): number {
    return this.#perStream.get(path) ?? 0;
  }

  ofIp(ip: string): number {
    return this.#perIp.get(ip) ?? 0;
  }

  ofViewer(viewer: string): number {
    return this.#perViewer.get(viewer) ?? 0;
  }

  /** Counts a session in, or out. */
  protected count({ path, ip, identity: { viewer } }: Session, by: 1 | -1): void {
    step(this.#perStream, path, by);
    step(this.#perIp, ip, by);
    if (viewer !== undefined) step(this.#perViewer, viewer, by);
  }
}

function step<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
