import type { ApiClient, Query } from '../api-client/api-client.js';
import { Collection, type ListDelta } from './collection.js';
import { followEvents } from './event-source.js';
import type { SessionView } from './views.js';

export interface SessionFeedOptions {
  readonly api: ApiClient;
  /** `path`, `action`, `protocol`, `limit`. */
  readonly query: Query;
  readonly signal: AbortSignal;
  /** Sessions that fit, and how many there are in all: more than are told, perhaps. */
  readonly show: (sessions: readonly SessionView[], total: number) => void;
}

/** Shows sessions that fit a query, and follows what changes of them. */
export function followSessions({ api, query, signal, show }: SessionFeedOptions): void {
  const sessions = new Collection<SessionView>('id');
  let total = 0;
  void followEvents({
    api,
    path: '/feed/sessions',
    query,
    signal,
    onEvent: ({ name, data }) => {
      if (name === 'snapshot') {
        const told = JSON.parse(data) as { sessions: SessionView[]; total: number };
        sessions.replace(told.sessions);
        total = told.total;
      } else if (name === 'delta') {
        const told = JSON.parse(data) as { sessions: ListDelta; total?: number };
        sessions.apply(told.sessions);
        total = told.total ?? total;
      }
      show(sessions.values(), total);
    },
    // The feed of the server says that the line is broken: both break together.
    onStatus: () => undefined,
  });
}
