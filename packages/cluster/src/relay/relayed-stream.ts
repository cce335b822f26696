import {
  type Publication,
  type PublisherControl,
  Refusal,
  type Session,
  type StreamRouter,
  type Timescape,
} from '@sluice/core';
import { type Micros, type Millis, millis, millisFromMicros, type TrackId } from '@sluice/media';
import type { RelayFrame } from './frame.js';

export interface RelayedStreamOptions {
  readonly router: StreamRouter;
  /** Of the publisher, where it is. */
  readonly session: Session;
  /** `cut`: somebody else publishes the path in this process, or it goes down; the relay is to end. */
  readonly control: PublisherControl;
}

/**
 * A stream of another process, published in this one under the same path, with the times that it has there. It stays the
 * same one over a line that is lost and found.
 */
export class RelayedStream {
  readonly #options: RelayedStreamOptions;
  #publication: Publication | undefined;
  #wallOrigin = millis(0);
  #isOver = false;
  readonly #latest = new Map<TrackId, Micros>();
  readonly #follows: Timescape = {
    wallTimeOf: (dts: Micros): Millis => millis(this.#wallOrigin + millisFromMicros(dts)),
  };

  constructor(options: RelayedStreamOptions) {
    this.#options = options;
  }

  /** Whether it is published here at the moment. */
  get isLive(): boolean {
    return this.#publication !== undefined;
  }

  /** Whether it has ended for good: frames are for nobody. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * What comes over the line, in its order. With the first description it is published.
   *
   * @throws {Refusal} `already-publishing` where an encoder of this process has the path; `shutting-down`
   */
  take(frame: RelayFrame): void {
    if (this.#isOver) return;
    switch (frame.type) {
      case 'wall-origin':
        this.#wallOrigin = frame.at;
        break;
      case 'description':
        this.#publication ??= this.#publish();
        this.#publication.describe(frame.description);
        break;
      case 'sample':
        this.#takeSample(frame);
        break;
      case 'timed-metadata':
        this.#publication?.write(frame);
        break;
      case 'discontinuity':
        this.#publication?.restart();
        break;
      case 'end':
        this.end(frame.reason);
        break;
    }
  }

  /** The line is gone, and may come back: viewers stay for the path's grace window. */
  lost(reason: string): void {
    const publication = this.#publication;
    this.#publication = undefined;
    publication?.end(reason);
  }

  /** Nothing will come any more. */
  end(reason: string): void {
    this.#isOver = true;
    const publication = this.#publication;
    this.#publication = undefined;
    publication?.endForGood(reason);
  }

  /** Who joins a stream anew gets its GOP from the start, and has some of it already. */
  #takeSample(frame: Extract<RelayFrame, { type: 'sample' }>): void {
    const { track, dts } = frame.sample;
    if (dts <= (this.#latest.get(track) ?? Number.NEGATIVE_INFINITY)) return;
    this.#latest.set(track, dts);
    this.#publication?.write(frame);
  }

  #publish(): Publication {
    const { router, session, control } = this.#options;
    const holder = router.publisherOf(session.path);
    if (holder !== undefined) {
      throw new Refusal('already-publishing', `${session.path} is being published here, from ${holder.ip}`);
    }
    const cut = (reason: string) => {
      this.#isOver = true;
      this.#publication = undefined;
      control.cut(reason);
    };
    return router.publish(session, { ...control, cut }, this.#follows);
  }
}
