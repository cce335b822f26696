import type { EventBus, Session, SessionRegistry } from '@sluice/core';
import { type Batch, factsOf, type SessionFacts } from './messages.js';

/** About 400 bytes each: far below what a NATS server takes in one message. */
const MOST_IN_ONE = 500;

/** What other nodes are to be told of this one's sessions: in batches with numbers, and as a whole. */
export class SessionJournal {
  readonly #registry: SessionRegistry;
  readonly #stopListening: readonly (() => void)[];
  #opened = new Map<string, Session>();
  #closed: string[] = [];
  #batch = 0;

  constructor({ registry, events }: { registry: SessionRegistry; events: EventBus }) {
    this.#registry = registry;
    this.#stopListening = [
      events.on('session-opened', ({ session }) => this.#opened.set(session.id, session)),
      events.on('session-closed', ({ session: { id } }) => {
        // Nobody needs to know of one that came and went between two batches.
        if (!this.#opened.delete(id)) this.#closed.push(id);
      }),
    ];
  }

  /** The number of the newest batch that was taken. */
  get batch(): number {
    return this.#batch;
  }

  /** What has happened since the last time. */
  take(): Omit<Batch, 'node' | 'epoch'>[] {
    const [opened, closed] = [[...this.#opened.values()].map(factsOf), this.#closed];
    this.#opened = new Map();
    this.#closed = [];
    const batches: Omit<Batch, 'node' | 'epoch'>[] = [];
    for (let at = 0; at < Math.max(opened.length, closed.length); at += MOST_IN_ONE) {
      this.#batch += 1;
      const [from, to] = [at, at + MOST_IN_ONE];
      batches.push({ batch: this.#batch, opened: opened.slice(from, to), closed: closed.slice(from, to) });
    }
    return batches;
  }

  /** All that were open when the newest batch was taken, in parts; at least one. */
  snapshot(): SessionFacts[][] {
    const all = [...this.#registry.list()].flatMap(({ session }) =>
      this.#opened.has(session.id) ? [] : [factsOf(session)],
    );
    const parts: SessionFacts[][] = [];
    for (let at = 0; at === 0 || at < all.length; at += MOST_IN_ONE) parts.push(all.slice(at, at + MOST_IN_ONE));
    return parts;
  }

  close(): void {
    for (const stop of this.#stopListening) stop();
  }
}
