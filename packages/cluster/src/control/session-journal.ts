import type { EventBus, Session, SessionRegistry } from '@sluice/core';
import { type Batch, factsOf, type SessionFacts } from './messages.js';
import { partsOf } from './parts.js';

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
    if (opened.length === 0 && closed.length === 0) return [];
    const [openedParts, closedParts] = [partsOf(opened), partsOf(closed)];
    return Array.from({ length: Math.max(openedParts.length, closedParts.length) }, (_, at) => {
      this.#batch += 1;
      return { batch: this.#batch, opened: openedParts[at] ?? [], closed: closedParts[at] ?? [] };
    });
  }

  /** All that were open when the newest batch was taken, in parts; at least one. */
  snapshot(): SessionFacts[][] {
    const all = [...this.#registry.list()].flatMap(({ session }) =>
      this.#opened.has(session.id) ? [] : [factsOf(session)],
    );
    return partsOf(all);
  }

  close(): void {
    for (const stop of this.#stopListening) stop();
  }
}
