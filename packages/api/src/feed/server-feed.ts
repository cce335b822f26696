import { type CaptureInfo, wholeSight } from '@sluice/core';
import { activeOf } from '../v2/active-recordings.js';
import { captureOf } from '../v2/captures.js';
import { type ByProtocol, type StreamView, streamViews, viewersByProtocol } from '../v2/stream-view.js';
import type { FeedOptions } from './feed.js';
import { eventText, type FeedLine } from './feed-line.js';
import { changedFields, ListChanges } from './list-changes.js';
import { RecentEvents } from './recent-events.js';
import { LoadMeter, type ServerLoad } from './server-load.js';

/** Of each stream's bit rate, for who comes: a small plot begins full. */
const PAST_SECONDS = 60;

/** Of all streams. */
interface Totals extends Readonly<Record<string, unknown>> {
  readonly streams: number;
  readonly publishers: number;
  readonly viewers: number;
  readonly viewersByProtocol: ByProtocol;
  /** Bit/s. */
  readonly bitrateIn: number;
  readonly bitrateOut: number;
}

/** The server as a whole: a snapshot for who comes, then what has changed, for all at once. */
export class ServerFeed {
  readonly #options: FeedOptions;
  readonly #events: RecentEvents;
  readonly #lines = new Set<FeedLine>();
  readonly #streams = new ListChanges<StreamView>('path');
  readonly #recordings = new ListChanges<ReturnType<typeof activeOf>>('id');
  readonly #captures = new ListChanges<ReturnType<typeof captureOf>>('id');
  readonly #meter = new LoadMeter();
  #captureStates = new Map<string, CaptureInfo['state']['kind']>();
  #totals: Totals | undefined;
  #load: ServerLoad | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#events = new RecentEvents(options);
  }

  /** @returns what ends it */
  join(line: FeedLine): () => void {
    if (this.#lines.size === 0) {
      this.#meter.start();
      this.#look();
      this.#events.take();
    }
    this.#lines.add(line);
    const [streams, recordings, captures] = [this.#streams, this.#recordings, this.#captures].map(({ entries }) => [
      ...entries.values(),
    ]);
    const [totals, load, events] = [this.#totals, this.#load, this.#events.kept];
    const bitrates = Object.fromEntries(
      this.#options.router.streams().map((stream) => [stream.path, stream.bitrates(PAST_SECONDS)]),
    );
    line.write(eventText('snapshot', { streams, recordings, captures, totals, load, events, bitrates }));
    return () => {
      this.#lines.delete(line);
      if (this.#lines.size === 0) this.#meter.stop();
    };
  }

  tick(): void {
    if (this.#lines.size === 0) return;
    const delta = this.#look();
    const events = this.#events.take();
    const text = eventText('delta', events.length === 0 ? delta : { ...delta, events });
    for (const line of this.#lines) line.write(text);
  }

  close(): void {
    this.#meter.stop();
    this.#events.close();
  }

  /** Looks at everything. @returns what has changed since the look before; what hasn't is left out */
  #look() {
    const { registry, cluster, recordings, captures } = this.#options;
    const watching = viewersByProtocol(wholeSight(registry, () => cluster));
    const views = streamViews(this.#options, watching);
    this.#noteCaptures(captures.captures);
    const [totals, load] = [this.#sum(views, watching.values()), this.#meter.look()];
    const delta = {
      streams: this.#streams.update(views),
      recordings: this.#recordings.update(recordings.control.active.map(activeOf)),
      captures: this.#captures.update(captures.captures.map(captureOf)),
      totals: this.#totals === undefined ? totals : changedFields(this.#totals, totals),
      load: this.#load === undefined ? load : changedFields({ ...this.#load }, { ...load }),
    };
    this.#totals = totals;
    this.#load = load;
    return delta;
  }

  #sum(views: readonly StreamView[], watching: Iterable<ByProtocol>): Totals {
    const byProtocol: Record<string, number> = {};
    let viewers = 0;
    for (const counts of watching) {
      for (const [protocol, count] of Object.entries(counts)) {
        byProtocol[protocol] = (byProtocol[protocol] ?? 0) + count;
        viewers += count;
      }
    }
    const { kbps } = this.#options.traffic.server();
    return {
      streams: views.length,
      publishers: views.filter(({ state }) => state === 'live').length,
      viewers,
      viewersByProtocol: byProtocol,
      bitrateIn: Math.round(kbps.received * 1000),
      bitrateOut: Math.round(kbps.sent * 1000),
    };
  }

  /** Captures aren't on the event bus: that one has another state is found out by looking. */
  #noteCaptures(captures: readonly CaptureInfo[]): void {
    const before = this.#captureStates;
    this.#captureStates = new Map(captures.map(({ id, state }) => [id, state.kind]));
    for (const { id, meetingId, target, state } of captures) {
      if (before.get(id) === state.kind || (before.size === 0 && this.#totals === undefined)) continue;
      const detail = { meeting: meetingId, target, state: state.kind };
      this.#events.add({ type: 'capture-state', path: null, detail });
    }
  }
}
