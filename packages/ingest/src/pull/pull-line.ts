import type { AccessProtocol, Logger, RelayUrl, StreamPath, TransportFigures } from '@sluice/core';
import type { MediaEvent } from '@sluice/media';

/** Takes what a line brings. Neither call throws. */
export interface PullSink {
  events(events: readonly MediaEvent[]): void;
  /** The line is over. Called once; nothing comes afterwards. */
  over(reason: string): void;
}

/** A connection to an origin that has agreed to give a stream. */
export interface PullLine {
  readonly protocol: AccessProtocol;
  /** The origin's address, without a port. */
  readonly address: string;
  /** In bytes. */
  readonly received: number;
  /** What its protocol tells of the line. */
  transport?(): TransportFigures;
  /** Gives what has come, and what comes from now on. Called once. */
  run(sink: PullSink): void;
  /** Hangs up; `over` says why. */
  close(reason: string): void;
}

/**
 * Connects, and asks for the stream.
 *
 * @param signal gives up, or hangs up
 * @throws {OriginRefusal} where the origin says no; whatever else is in the way
 */
export type OpenPullLine = (
  url: RelayUrl,
  signal: AbortSignal,
  context: { readonly path: StreamPath; readonly log: Logger },
) => Promise<PullLine>;

/** The origin was reached, and said no. */
export class OriginRefusal extends Error {
  override readonly name = 'OriginRefusal';
  /** `denied`: not to us; `not-found`: it has no such stream, or not now. */
  readonly kind: 'denied' | 'not-found';

  constructor(kind: OriginRefusal['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What came before anybody wanted it, and whom it goes to afterwards. */
export class EarlyEvents implements PullSink {
  #held: MediaEvent[] = [];
  #sink: PullSink | undefined;
  #ended: string | undefined;

  events(events: readonly MediaEvent[]): void {
    if (this.#sink === undefined) this.#held.push(...events);
    else this.#sink.events(events);
  }

  over(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#sink?.over(reason);
  }

  run(sink: PullSink): void {
    this.#sink = sink;
    const held = this.#held;
    this.#held = [];
    if (held.length > 0) sink.events(held);
    if (this.#ended !== undefined) sink.over(this.#ended);
  }
}
