import type { MessageContext, Unsupported } from './messages.js';
import type { PlayerState } from './playback-state.js';
import type { PlayerProtocol } from './protocol.js';

/** After so many attempts in vain, it is told that nothing comes over the protocol that was asked for. */
const BARREN_ATTEMPTS = 2;

/** What has happened so far, for who counts and for who has to be told. */
export class PlayRecord {
  #hasBeenSeen = false;
  #errors = 0;
  #lastError = '';
  #stalls = 0;
  /** Attempts in which no picture came, one after the other. */
  #barren = 0;
  /** The status of the last refusal. */
  refusal: number | undefined;
  /** Why the browser can't play it. */
  unsupported: Unsupported | undefined;

  get errors(): number {
    return this.#errors;
  }

  /** What the newest of them said. */
  get lastError(): string {
    return this.#lastError;
  }

  /** How often the picture stood still because nothing came. */
  get stalls(): number {
    return this.#stalls;
  }

  /** What there is to say of a state. */
  context({ path, attempts, asked }: RecordContext): MessageContext {
    return {
      ...{ path, attempts, seen: this.#hasBeenSeen, refusal: this.refusal, unsupported: this.unsupported },
      nothingOver: this.#barren >= BARREN_ATTEMPTS ? asked : undefined,
      deviceOffline: !navigator.onLine,
    };
  }

  moved(): void {
    this.#hasBeenSeen = true;
    this.#barren = 0;
  }

  changes(from: PlayerState, to: PlayerState): void {
    if (to === 'buffering' && from !== 'buffering') this.#stalls += 1;
  }

  failed(reason: string): void {
    this.#errors += 1;
    this.#lastError = reason;
  }

  /** An engine has ended without a picture. */
  wasBarren(): void {
    this.#barren += 1;
  }

  /** Another protocol was asked for. */
  beginsAnew(): void {
    this.#barren = 0;
  }
}

interface RecordContext {
  readonly path: string;
  /** Since it last played. */
  readonly attempts: number;
  /** The protocol that was asked for. */
  readonly asked: PlayerProtocol | undefined;
}
