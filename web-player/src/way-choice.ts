import type { FailedProtocols } from './failed-protocols.js';
import { automaticProtocols, type BrowserAbilities, engineFor, type PlayerProtocol } from './protocol.js';
import type { StreamStatus } from './status-client.js';

/** A protocol that breaks so often, each time soon after it began, is given up for another. */
const PATIENCE_ATTEMPTS = 3;

/** What a failure tells of the way. */
export interface WayFailure {
  readonly protocol: PlayerProtocol;
  /** Whether a picture came over it. */
  readonly hasMoved: boolean;
  /** Failures since it last played for a while. */
  readonly attempts: number;
}

/** Which protocol to take: the one asked for, or the best one that works. */
export class WayChoice {
  readonly #browser: BrowserAbilities;
  readonly #failed: FailedProtocols;
  asked: PlayerProtocol | undefined;
  /** It failed, which may have been the network's fault, or the server's. */
  #suspect: PlayerProtocol | undefined;

  constructor(browser: BrowserAbilities, failed: FailedProtocols, asked: PlayerProtocol | undefined) {
    this.#browser = browser;
    this.#failed = failed;
    this.asked = asked;
  }

  /** Undefined where no protocol plays the stream here. */
  choose({ tracks, bFrames }: Pick<StreamStatus, 'tracks' | 'bFrames'>): PlayerProtocol | undefined {
    if (this.asked !== undefined) {
      return engineFor(this.asked, tracks, this.#browser) === undefined ? undefined : this.asked;
    }
    const list = (hasFailed: (protocol: PlayerProtocol) => boolean) =>
      automaticProtocols(tracks, this.#browser, { hasFailed, bFrames })[0];
    const best = list((protocol) => this.#failed.has(protocol));
    if (best !== undefined || this.#failed.size === 0) return best;
    // Nothing works: perhaps it is none of the protocols' fault.
    this.#failed.clear();
    return list(() => false);
  }

  /** Something broke. Whether the protocol is to blame shows when the server is heard. */
  broke({ protocol, hasMoved, attempts }: WayFailure): void {
    if (this.asked === undefined && (!hasMoved || attempts >= PATIENCE_ATTEMPTS)) this.#suspect = protocol;
  }

  /** The server answers that the stream is live: so it was the protocol. */
  serverIsWell(): void {
    if (this.#suspect !== undefined) this.#failed.add(this.#suspect);
    this.#suspect = undefined;
  }

  /** The server is away, or the stream is: so it was not the protocol. */
  serverIsAway(): void {
    this.#suspect = undefined;
  }

  /** Another network may let through what the last one didn't. */
  networkChanged(): void {
    this.#suspect = undefined;
    this.#failed.clear();
  }
}
