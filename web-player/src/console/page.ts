import type { ApiClient } from './api-client/api-client.js';
import type { Tone } from './components/tone.js';
import type { Feed } from './feed/feed.js';
import type { I18n } from './i18n/i18n.js';
import type { Params } from './router/match-path.js';
import type { Me, Scope } from './session/session.js';

/** What a page gets to work with. */
export interface PageContext {
  readonly api: ApiClient;
  /** What happens on the server, as it happens. */
  readonly feed: Feed;
  readonly i18n: I18n;
  readonly me: Me;
  /** Whether the login may do what a scope allows: what it may not, a page doesn't offer. */
  may(scope: Scope): boolean;
  /** Of the page's path. */
  readonly params: Params;
  readonly query: URLSearchParams;
  /** Aborted when the page goes. */
  readonly signal: AbortSignal;
  /** To another page of the console: `/streams/live/show`. */
  navigate(path: string): void;
  /** Keeps a filter in the address without loading the page anew. */
  setQuery(query: Readonly<Record<string, string>>): void;
  /** What the page is called, as a heading and in the title. */
  setTitle(title: string): void;
  /** Says something that goes away by itself. */
  toast(text: string, tone?: Tone): void;
  /** Says what was thrown. Answers to a page that has gone are left out. */
  fail(error: unknown): void;
}

/** Takes down what `mount` set up: timers, listeners. The elements go by themselves. */
export type Unmount = () => void;

/** A page: fills `root`, which is empty, and may go on filling it. */
export type Mount = (root: HTMLElement, context: PageContext) => Unmount;
