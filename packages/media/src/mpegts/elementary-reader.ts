import type { Micros } from '../time.js';
import { sameTrackConfig, type TrackConfig } from '../track-config.js';
import type { TsEvent } from './events.js';

/** The payload of a PES packet with its times on the demuxer's unwrapped clock. */
export interface TimedPayload {
  /** Undefined where the header has none. */
  readonly pts: Micros | undefined;
  readonly dts: Micros | undefined;
  readonly data: Buffer;
}

/** Turns the PES payloads of one elementary stream into its configuration and samples. */
export interface ElementaryReader {
  /**
   * Adds to `events`, so that what was read before an error is kept.
   *
   * @throws {MediaError} where a part of the payload can't be read; the next one can be tried all the same
   */
  read(payload: TimedPayload, events: TsEvent[]): void;
  /** Packets were lost: what was kept doesn't fit what comes. */
  reset(): void;
}

/** Says when a track's configuration is new. */
export class ConfigTracker {
  #current: TrackConfig | undefined;

  update(config: TrackConfig, events: TsEvent[]): void {
    if (this.#current !== undefined && sameTrackConfig(this.#current, config)) return;
    this.#current = config;
    events.push({ type: 'config', config });
  }
}
