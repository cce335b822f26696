import { pathFits } from '@sluice/core';
import { sessionOf, sessionsEverywhere } from '../v2/sessions.js';
import type { FeedOptions } from './feed.js';
import { eventText, type FeedLine } from './feed-line.js';
import { ListChanges } from './list-changes.js';

/** Which sessions somebody wants to see; what is undefined doesn't matter. */
export interface SessionFilter {
  readonly path?: string | undefined;
  readonly action?: 'publish' | 'play' | undefined;
  readonly protocol?: string | undefined;
  /** Most of them; the rest is counted only. */
  readonly limit: number;
}

type SessionView = ReturnType<typeof sessionOf>;

interface Follower {
  readonly line: FeedLine;
  readonly filter: SessionFilter;
  /** Those that it has been told of. */
  readonly known: Set<string>;
  total: number;
}

/** Sessions: those that fit for who comes, then what has changed of them. Looked at once for all who listen. */
export class SessionFeed {
  readonly #options: FeedOptions;
  readonly #followers = new Set<Follower>();
  readonly #sessions = new ListChanges<SessionView>('id');

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** @returns what ends it */
  join(line: FeedLine, filter: SessionFilter): () => void {
    if (this.#followers.size === 0) this.#look();
    const fitting = this.#fitting(filter);
    const told = fitting.slice(0, filter.limit);
    const follower = { line, filter, known: new Set(told.map(({ id }) => id)), total: fitting.length };
    this.#followers.add(follower);
    line.write(eventText('snapshot', { sessions: told, total: follower.total }));
    return () => void this.#followers.delete(follower);
  }

  tick(): void {
    if (this.#followers.size === 0) return;
    const changed = new Map(this.#look()?.set?.map((entry) => [String(entry.id), entry]));
    for (const follower of this.#followers) this.#tell(follower, changed);
  }

  #look() {
    const { traffic } = this.#options;
    const views = [...sessionsEverywhere(this.#options)].map(([open, node]) => sessionOf(open, node, traffic));
    return this.#sessions.update(views);
  }

  #fitting(filter: SessionFilter): SessionView[] {
    return [...this.#sessions.entries.values()].filter((session) => fits(session, filter));
  }

  #tell(follower: Follower, changed: ReadonlyMap<string, Readonly<Record<string, unknown>>>): void {
    const { line, filter, known } = follower;
    const { entries } = this.#sessions;
    const gone = [...known].filter((id) => !entries.has(id));
    for (const id of gone) known.delete(id);
    const set: unknown[] = [];
    const fitting = this.#fitting(filter);
    for (const session of fitting) {
      const { id } = session;
      if (known.has(id)) {
        const fields = changed.get(id);
        if (fields !== undefined) set.push(fields);
      } else if (known.size < filter.limit) {
        known.add(id);
        set.push(session);
      }
    }
    const total = fitting.length === follower.total ? undefined : fitting.length;
    follower.total = fitting.length;
    const sessions = { ...(set.length === 0 ? {} : { set }), ...(gone.length === 0 ? {} : { gone }) };
    line.write(eventText('delta', { sessions, total }));
  }
}

function fits(session: SessionView, { path, action, protocol }: SessionFilter): boolean {
  return (
    (path === undefined || pathFits(path, session.path)) &&
    (action === undefined || session.action === action) &&
    (protocol === undefined || session.protocol === protocol)
  );
}
