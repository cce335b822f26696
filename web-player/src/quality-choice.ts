import type { Engine, Quality } from './engines/engine.js';
import type { PlayerProtocol } from './protocol.js';
import type { StreamStatus } from './status-client.js';

export interface QualityChoiceOptions {
  /** The one at work. */
  readonly engine: () => Engine | undefined;
  readonly protocol: () => PlayerProtocol | undefined;
  readonly status: () => StreamStatus | undefined;
  /** Begins anew, with what was chosen. */
  readonly restart: () => void;
}

/** In what quality a stream is watched: HLS has all in one, and by other protocols each is a stream of its own. */
export class QualityChoice {
  readonly #options: QualityChoiceOptions;
  /** Of the engine's own. */
  #own = -1;
  /** Below the stream's path; undefined is the stream itself. */
  #rendition: string | undefined;

  constructor(options: QualityChoiceOptions) {
    this.#options = options;
  }

  /** What there is to choose from, beside -1. */
  get list(): readonly Quality[] {
    const own = this.#options.engine()?.qualities ?? [];
    if (own.length > 0 || isHls(this.#options.protocol())) return own;
    return (this.#options.status()?.renditions ?? []).map((name) => ({ name }));
  }

  /** Whether -1 leaves it to the engine; else it is the stream itself. */
  get canBeLeft(): boolean {
    return (this.#options.engine()?.qualities.length ?? 0) > 0;
  }

  /** Index of the one that was chosen, or -1. */
  get chosen(): number {
    return this.canBeLeft ? this.#own : this.list.findIndex(({ name }) => name === this.#rendition);
  }

  /** @param index of the list, or -1 */
  choose(index: number): void {
    if (this.canBeLeft) {
      this.#own = index;
      this.#options.engine()?.chooseQuality(index);
      return;
    }
    this.#rendition = this.list[index]?.name;
    this.#options.restart();
  }

  /** The path to play. */
  pathOf(path: string): string {
    return this.#rendition === undefined || isHls(this.#options.protocol()) ? path : `${path}/${this.#rendition}`;
  }

  /** An engine has ended: the next one chooses for itself. */
  engineEnded(): void {
    this.#own = -1;
  }

  /** No picture came: perhaps the server can't make that one. */
  failed(): void {
    this.#rendition = undefined;
  }
}

const isHls = (protocol: PlayerProtocol | undefined): boolean => protocol === 'hls' || protocol === 'll-hls';
