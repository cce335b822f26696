import type { Publication, PublisherControl, Session, StreamRouter } from '@sluice/core';
import type { NumberedFrame } from '../relay/frame.js';

/** Publishes what encoders send that have landed in a worker. */
export class PublishService {
  readonly #router: Pick<StreamRouter, 'publish'>;
  readonly #publications = new Map<number, Publication>();

  constructor(options: { router: Pick<StreamRouter, 'publish'> }) {
    this.#router = options.router;
  }

  /** @throws {Refusal} as the router does */
  publish(session: Session, stream: number, control: PublisherControl): void {
    this.#publications.set(stream, this.#router.publish(session, control));
  }

  /** Takes a frame; what belongs to no publication is left out. */
  frame({ stream, frame }: NumberedFrame): void {
    const publication = this.#publications.get(stream);
    if (publication === undefined) return;
    switch (frame.type) {
      case 'sample':
      case 'config':
      case 'metadata':
      case 'timed-metadata':
      case 'end-of-track':
        publication.write(frame);
        break;
      case 'end':
        this.#publications.delete(stream);
        publication.end(frame.reason);
        break;
      default:
        break;
    }
  }

  /** The worker is gone; its encoders have the grace window to come back. */
  close(reason: string): void {
    for (const publication of this.#publications.values()) publication.end(reason);
    this.#publications.clear();
  }
}
