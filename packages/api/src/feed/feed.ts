import type { ServerResponse } from 'node:http';
import type { Control } from '../v2/control.js';
import { FeedLine } from './feed-line.js';
import { ServerFeed } from './server-feed.js';
import { SessionFeed, type SessionFilter } from './session-feed.js';

export type FeedOptions = Pick<
  Control,
  'clock' | 'events' | 'router' | 'registry' | 'cluster' | 'traffic' | 'recordings' | 'captures'
>;

/** How often it is told what has changed. */
const TICK_MS = 1000;

/** What happens on the server, told about once a second: made once, whoever listens, and only while somebody does. */
export class Feed {
  readonly #server: ServerFeed;
  readonly #sessions: SessionFeed;
  readonly #lines = new Set<FeedLine>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FeedOptions) {
    this.#server = new ServerFeed(options);
    this.#sessions = new SessionFeed(options);
  }

  /** Streams, recordings, captures, totals, load and events. */
  followServer(response: ServerResponse): FeedLine {
    return this.#open(response, (line) => this.#server.join(line));
  }

  /** Sessions that fit a filter. */
  followSessions(response: ServerResponse, filter: SessionFilter): FeedLine {
    return this.#open(response, (line) => this.#sessions.join(line, filter));
  }

  /** Ends all lines. */
  close(): void {
    for (const line of this.#lines) line.renew();
    this.#lines.clear();
    clearInterval(this.#timer);
    this.#server.close();
  }

  #open(response: ServerResponse, join: (line: FeedLine) => () => void): FeedLine {
    const line = new FeedLine(response);
    const leave = join(line);
    this.#lines.add(line);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    line.onClose(() => {
      leave();
      this.#lines.delete(line);
      if (this.#lines.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    return line;
  }

  #tick(): void {
    this.#server.tick();
    this.#sessions.tick();
  }
}
