import type { Admission, Clock, StreamPath } from '@sluice/core';
import type { Millis } from '@sluice/media';

interface HlsViewer {
  readonly admission: Admission;
  readonly path: StreamPath;
  lastSeen: Millis;
  bytes: number;
}

/** A viewer that has asked for nothing for this long has left. Longer than any sensible playlist's pace. */
const GONE_AFTER_MS = 30_000;
const SWEEP_MS = 2000;

/**
 * HLS has no connection that would be a session, so a viewer is who asks from one address with one user agent for one
 * stream, until the questions stop.
 */
export class HlsViewers {
  readonly #viewers = new Map<string, HlsViewer>();
  readonly #counts = new Map<StreamPath, number>();
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  countOf(path: StreamPath): number {
    return this.#counts.get(path) ?? 0;
  }

  /** Notes that a viewer is there. @returns false if it isn't known and must be admitted first */
  seen(key: string, bytes: number): boolean {
    const viewer = this.#viewers.get(key);
    if (viewer === undefined) return false;
    viewer.lastSeen = this.#clock.monotonic();
    viewer.bytes += bytes;
    return true;
  }

  /** Adds an admitted viewer. One that was added meanwhile stays, and the second admission is given back. */
  add(key: string, admission: Admission): void {
    if (this.#viewers.has(key)) {
      admission.close('the same viewer is known', 0);
      return;
    }
    const { path } = admission.session;
    this.#viewers.set(key, { admission, path, lastSeen: this.#clock.monotonic(), bytes: 0 });
    this.#counts.set(path, this.countOf(path) + 1);
  }

  /** Ends all sessions. */
  close(reason: string): void {
    clearInterval(this.#timer);
    for (const [key, viewer] of this.#viewers) this.#remove(key, viewer, reason);
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, viewer] of this.#viewers) {
      if (now - viewer.lastSeen > GONE_AFTER_MS) this.#remove(key, viewer, 'viewer left');
    }
  }

  #remove(key: string, viewer: HlsViewer, reason: string): void {
    this.#viewers.delete(key);
    const left = this.countOf(viewer.path) - 1;
    if (left === 0) this.#counts.delete(viewer.path);
    else this.#counts.set(viewer.path, left);
    viewer.admission.close(reason, viewer.bytes);
  }
}
