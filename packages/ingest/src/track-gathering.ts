import type { MediaEvent } from '@sluice/media';

/** A stream that has only sound, or only a picture, shows so in its first second. */
const LONGEST_WAIT = 1_000_000;
/** However little of it is sound or picture. */
const MOST_EVENTS = 1000;

/**
 * Holds a stream's beginning back until its tracks are known. A transport stream tells of each when its first frame
 * comes, and outputs that learn of a track later have to begin again.
 */
export class TrackGathering {
  readonly #write: (event: MediaEvent) => void;
  readonly #kinds = new Set<'video' | 'audio'>();
  #held: MediaEvent[] | undefined = [];
  #since: number | undefined;

  constructor(write: (event: MediaEvent) => void) {
    this.#write = write;
  }

  write(event: MediaEvent): void {
    const held = this.#held;
    if (held === undefined) {
      this.#write(event);
      return;
    }
    held.push(event);
    if (event.type === 'config') this.#kinds.add(event.config.kind);
    if (event.type === 'sample') this.#since ??= event.sample.dts;
    const isLong = event.type === 'sample' && event.sample.dts - (this.#since ?? 0) >= LONGEST_WAIT;
    if (this.#kinds.size === 2 || isLong || held.length >= MOST_EVENTS) this.release();
  }

  /** Lets everything go: configurations first, so that no output begins without one. */
  release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    const isConfig = ({ type }: MediaEvent) => type === 'config';
    for (const event of [...held.filter(isConfig), ...held.filter((event) => !isConfig(event))]) this.#write(event);
  }
}
