import type { EventBus, Session, StreamPath } from '@sluice/core';

/** Who publishes each live stream, or did so last while it waits for its encoder. */
export class Publishers {
  readonly #sessions = new Map<StreamPath, Session>();
  readonly #stopListening: readonly (() => void)[];

  constructor(events: EventBus) {
    this.#stopListening = [
      events.on('stream-started', ({ path, session }) => this.#sessions.set(path, session)),
      events.on('stream-resumed', ({ path, session }) => this.#sessions.set(path, session)),
      events.on('stream-ended', ({ path }) => this.#sessions.delete(path)),
    ];
  }

  of(path: StreamPath): Session | undefined {
    return this.#sessions.get(path);
  }

  /** Paths that are live. */
  paths(): StreamPath[] {
    return [...this.#sessions.keys()];
  }

  close(): void {
    for (const stop of this.#stopListening) stop();
  }
}
