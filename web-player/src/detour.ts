import { type BrowserAbilities, engineFor } from './protocol.js';
import type { ServerClock } from './server-clock.js';
import type { StreamStatus } from './status-client.js';
import type { Elsewhere, TimeTravel } from './time-travel.js';

export interface DetourOptions {
  readonly status: () => StreamStatus | undefined;
  readonly browser: BrowserAbilities;
  readonly clock: ServerClock;
  /** Begins anew, in the past or at the live edge, as {@link Detour.isThere} tells. */
  readonly restart: () => void;
}

/** The past, over HLS, of a stream that is watched by a protocol that has the present alone. */
export class Detour implements Elsewhere {
  readonly #options: DetourOptions;
  #behind: number | undefined;
  #hasArrived = false;

  constructor(options: DetourOptions) {
    this.#options = options;
  }

  get isThere(): boolean {
    return this.#behind !== undefined;
  }

  now(): number {
    return this.#options.clock.now();
  }

  past(): number | undefined {
    const { timeShiftSeconds, since, tracks } = this.#options.status() ?? {};
    if (timeShiftSeconds === undefined || since === undefined || tracks === undefined) return undefined;
    if (engineFor('ll-hls', tracks, this.#options.browser) === undefined) return undefined;
    return Math.min(timeShiftSeconds, (this.now() - Date.parse(since)) / 1000);
  }

  goBack(behind: number): void {
    this.#behind = behind;
    this.#hasArrived = false;
    this.#options.restart();
  }

  comeBack(): void {
    this.end();
    this.#options.restart();
  }

  /** What plays next is the present. */
  end(): void {
    this.#behind = undefined;
  }

  /** HLS plays: takes the viewer to where they wanted, as soon as that is known. */
  moved(time: TimeTravel): void {
    if (this.#behind !== undefined && !this.#hasArrived) this.#hasArrived = time.arrive(this.#behind);
  }
}
