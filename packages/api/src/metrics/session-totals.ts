import type { EventBus, OpenSession, SessionRegistry } from '@sluice/core';

/** What went through the sessions of one protocol and action. */
export interface SessionTotal {
  readonly protocol: string;
  readonly action: string;
  open: number;
  opened: number;
  received: number;
  sent: number;
  skips: number;
}

/** Adds up sessions, those that are over and those that are open. */
export class SessionTotals {
  readonly #registry: SessionRegistry;
  readonly #over = new Map<string, SessionTotal>();
  #totals: readonly SessionTotal[] = [];

  constructor(registry: SessionRegistry, events: EventBus) {
    this.#registry = registry;
    events.on('session-opened', ({ session }) => {
      this.#of(this.#over, session).opened += 1;
    });
    events.on('session-closed', (closed) => add(this.#of(this.#over, closed.session), closed.traffic));
  }

  /** As they were when `take` was called last: one look at all sessions serves all figures of an answer. */
  get totals(): readonly SessionTotal[] {
    return this.#totals;
  }

  take(): void {
    const totals = new Map([...this.#over].map(([key, total]) => [key, { ...total }]));
    for (const { session, traffic } of this.#registry.list()) {
      const total = this.#of(totals, session);
      total.open += 1;
      add(total, traffic);
    }
    this.#totals = [...totals.values()];
  }

  #of(totals: Map<string, SessionTotal>, { protocol, action }: OpenSession['session']): SessionTotal {
    const key = `${protocol} ${action}`;
    const known = totals.get(key) ?? { protocol, action, open: 0, opened: 0, received: 0, sent: 0, skips: 0 };
    totals.set(key, known);
    return known;
  }
}

function add(total: SessionTotal, { received, sent, skips = 0 }: OpenSession['traffic']): void {
  total.received += received;
  total.sent += sent;
  total.skips += skips;
}
