import type { Clock, EventBus, LifecycleEvents, Session } from '@sluice/core';
import { iso } from '../v2/schemas.js';

/** Something that has happened, for people. */
export interface FeedEvent {
  readonly id: number;
  readonly at: string;
  readonly type: string;
  readonly path: string | null;
  readonly detail: Readonly<Record<string, string | number>>;
}

type Told = Pick<FeedEvent, 'type' | 'path' | 'detail'>;

/** So many are told to who comes. */
const KEPT = 100;
/** And so many of one second: a flood of viewers is a figure, not a list. */
const MOST_AT_ONCE = 50;

/** What to tell of each event; segments and the like are too many, and no news to anybody. */
const TELLERS: { readonly [K in keyof LifecycleEvents]?: (event: LifecycleEvents[K]) => Told } = {
  'stream-started': ({ path, session }) => ({ type: 'stream-started', path, detail: partner(session) }),
  'stream-resumed': ({ path, session }) => ({ type: 'stream-resumed', path, detail: partner(session) }),
  'stream-waiting': ({ path, reason }) => ({ type: 'stream-waiting', path, detail: { reason } }),
  'stream-ended': ({ path, reason }) => ({ type: 'stream-ended', path, detail: { reason } }),
  'session-opened': ({ session }) => ({ type: 'session-opened', path: session.path, detail: partner(session) }),
  'session-closed': ({ session, reason }) => ({
    type: 'session-closed',
    path: session.path,
    detail: { ...partner(session), reason },
  }),
  'request-refused': ({ request, reason }) => ({
    type: 'request-refused',
    path: request.path,
    detail: { action: request.action, protocol: request.protocol, ip: request.ip, reason },
  }),
  'recording-started': ({ recording: { path, container } }) => ({
    type: 'recording-started',
    path,
    detail: { container },
  }),
  'recording-paused': ({ path, trouble, detail }) => ({
    type: 'recording-paused',
    path,
    detail: { trouble, reason: detail },
  }),
  'recording-resumed': ({ path }) => ({ type: 'recording-resumed', path, detail: {} }),
  'recording-ended': ({ path, reason }) => ({ type: 'recording-ended', path, detail: { reason } }),
  'recording-file-ready': ({ file }) => ({
    type: 'recording-file-ready',
    path: file.path,
    detail: { file: file.file, seconds: Math.round(file.duration / 1000) },
  }),
  'recording-file-damaged': ({ file, reason }) => ({
    type: 'recording-file-damaged',
    path: file.path,
    detail: { file: file.file, reason },
  }),
  'hls-window-shrunk': ({ path, reason, seconds }) => ({
    type: 'hls-window-shrunk',
    path,
    detail: { reason, seconds },
  }),
  'hls-window-resumed': ({ path }) => ({ type: 'hls-window-resumed', path, detail: {} }),
};

/** Sessions that are no news: posters, and what the server asks of itself. */
const SILENT_PROTOCOLS: ReadonlySet<string> = new Set(['snapshot', 'transcode']);

/** Keeps what has happened of late. */
export class RecentEvents {
  readonly #clock: Clock;
  readonly #stopListening: (() => void)[] = [];
  #kept: FeedEvent[] = [];
  #fresh: FeedEvent[] = [];
  #count = 0;

  constructor({ events, clock }: { events: EventBus; clock: Clock }) {
    this.#clock = clock;
    const follow = <K extends keyof LifecycleEvents>(name: K, tell: (event: LifecycleEvents[K]) => Told) => {
      this.#stopListening.push(events.on(name, (event) => this.#note(tell(event))));
    };
    for (const [name, tell] of Object.entries(TELLERS)) {
      follow(name as keyof LifecycleEvents, tell as (event: LifecycleEvents[keyof LifecycleEvents]) => Told);
    }
  }

  /** The last ones, oldest first. */
  get kept(): readonly FeedEvent[] {
    return this.#kept;
  }

  /** Those since they were last taken. */
  take(): readonly FeedEvent[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** Something that isn't on the bus. */
  add(told: Told): void {
    this.#note(told);
  }

  close(): void {
    for (const stop of this.#stopListening) stop();
  }

  #note(told: Told): void {
    if (SILENT_PROTOCOLS.has(String(told.detail.protocol))) return;
    this.#count += 1;
    const event = { id: this.#count, at: iso(this.#clock.wall()), ...told };
    this.#kept.push(event);
    this.#fresh.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
    if (this.#fresh.length > MOST_AT_ONCE) this.#fresh.shift();
  }
}

/** Who it is, without what they have shown. */
function partner({ id, action, protocol, ip, identity }: Session): Record<string, string> {
  return { session: id, action, protocol, ip, ...(identity.viewer === undefined ? {} : { viewer: identity.viewer }) };
}
