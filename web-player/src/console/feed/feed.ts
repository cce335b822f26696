import type { ApiClient } from '../api-client/api-client.js';
import { Collection, type ListDelta } from './collection.js';
import { followEvents } from './event-source.js';
import type { ServerEvent } from './event-stream.js';
import type { CaptureView, FeedEvent, RecordingView, ServerLoad, StreamView, Totals } from './views.js';

export type FeedStatus = 'connecting' | 'live' | 'lost';

/** What of the feed has changed. */
export type FeedPart = 'status' | 'streams' | 'recordings' | 'captures' | 'totals' | 'load' | 'events';

interface Snapshot {
  readonly streams: readonly StreamView[];
  readonly recordings: readonly RecordingView[];
  readonly captures: readonly CaptureView[];
  readonly totals: Totals;
  readonly load: ServerLoad;
  readonly events: readonly FeedEvent[];
  /** Bit/s of each of the last seconds, by path. */
  readonly bitrates: Readonly<Record<string, readonly number[]>>;
}

interface Delta {
  readonly streams?: ListDelta;
  readonly recordings?: ListDelta;
  readonly captures?: ListDelta;
  readonly totals?: Partial<Totals>;
  readonly load?: Partial<ServerLoad>;
  readonly events?: readonly FeedEvent[];
}

type Listener = (changed: ReadonlySet<FeedPart>) => void;

const KEPT_EVENTS = 200;
const KEPT_BITRATES = 60;
const EVERYTHING: ReadonlySet<FeedPart> = new Set([
  'status',
  'streams',
  'recordings',
  'captures',
  'totals',
  'load',
  'events',
]);

/** The server as it is now: streams, recordings and captures under way, totals, load, and what has happened of late. */
export class Feed {
  readonly streams = new Collection<StreamView>('path');
  readonly recordings = new Collection<RecordingView>('id');
  readonly captures = new Collection<CaptureView>('id');
  readonly #api: ApiClient;
  readonly #listeners = new Set<Listener>();
  #status: FeedStatus = 'connecting';
  #hasSnapshot = false;
  #totals: Totals | undefined;
  #load: ServerLoad | undefined;
  #events: readonly FeedEvent[] = [];
  #bitrates = new Map<string, number[]>();
  #line: AbortController | undefined;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  get status(): FeedStatus {
    return this.#status;
  }

  /** Whether it has told everything once: only then is an empty list empty. */
  get isReady(): boolean {
    return this.#hasSnapshot;
  }

  get totals(): Totals | undefined {
    return this.#totals;
  }

  get load(): ServerLoad | undefined {
    return this.#load;
  }

  /** Newest first. */
  get events(): readonly FeedEvent[] {
    return this.#events;
  }

  /** Bit/s of a stream in the last minute, by the second, oldest first. */
  bitratesOf(path: string): readonly number[] {
    return this.#bitrates.get(path) ?? [];
  }

  open(): void {
    this.close();
    this.#line = new AbortController();
    void followEvents({
      api: this.#api,
      path: '/feed',
      signal: this.#line.signal,
      onEvent: (event) => this.#take(event),
      onStatus: (isLive) => this.#setStatus(isLive ? 'live' : 'lost'),
    });
  }

  close(): void {
    this.#line?.abort();
    this.#line = undefined;
    this.#hasSnapshot = false;
    this.#status = 'connecting';
  }

  /** Tells what changes, until the signal is aborted; and at once, what there is. */
  follow(listener: Listener, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true });
    listener(EVERYTHING);
  }

  #take({ name, data }: ServerEvent): void {
    if (name === 'snapshot') this.#begin(JSON.parse(data) as Snapshot);
    else if (name === 'delta') this.#apply(JSON.parse(data) as Delta);
  }

  #begin(snapshot: Snapshot): void {
    this.streams.replace(snapshot.streams);
    this.recordings.replace(snapshot.recordings);
    this.captures.replace(snapshot.captures);
    this.#totals = snapshot.totals;
    this.#load = snapshot.load;
    this.#events = [...snapshot.events].reverse();
    this.#bitrates = new Map(Object.entries(snapshot.bitrates).map(([path, values]) => [path, [...values]]));
    this.#hasSnapshot = true;
    this.#tell(EVERYTHING);
  }

  #apply({ streams, recordings, captures, totals, load, events }: Delta): void {
    const changed = new Set<FeedPart>();
    if (streams !== undefined) this.streams.apply(streams);
    if (recordings !== undefined) this.recordings.apply(recordings);
    if (captures !== undefined) this.captures.apply(captures);
    if (totals !== undefined && this.#totals !== undefined) this.#totals = { ...this.#totals, ...totals };
    if (load !== undefined && this.#load !== undefined) this.#load = { ...this.#load, ...load };
    if (events !== undefined) this.#events = [...events].reverse().concat(this.#events).slice(0, KEPT_EVENTS);
    this.#noteBitrates();
    for (const [part, value] of Object.entries({ streams, recordings, captures, totals, load, events })) {
      if (value !== undefined) changed.add(part as FeedPart);
    }
    this.#tell(changed);
  }

  #noteBitrates(): void {
    const before = this.#bitrates;
    this.#bitrates = new Map();
    for (const { path, figures } of this.streams.values()) {
      const values = before.get(path) ?? [];
      values.push(figures.bitrate);
      if (values.length > KEPT_BITRATES) values.shift();
      this.#bitrates.set(path, values);
    }
  }

  #setStatus(status: FeedStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#tell(new Set(['status']));
  }

  #tell(changed: ReadonlySet<FeedPart>): void {
    for (const listener of [...this.#listeners]) listener(changed);
  }
}
