import type { Traffic } from '../access/session.js';
import type { SessionRegistry } from '../access/session-registry.js';
import type { Clock } from '../clock.js';
import type { EventBus } from '../events.js';
import type { StreamPath } from '../stream-path.js';
import { RateWindow } from './rate-window.js';

/** What went through, in bytes, and at what rate over the last 30 s, in kbit/s. */
export interface TrafficFigures extends Traffic {
  readonly kbps: { readonly received: number; readonly sent: number };
}

/** Of a stream, since it began. */
export interface StreamTraffic extends TrafficFigures {
  /** Open sessions of its path, its publisher's too. */
  readonly sessions: number;
}

interface Meter {
  /** Of sessions that are over. */
  received: number;
  sent: number;
  readonly window: RateWindow;
}

/** What the open sessions of a path, or of all, come to. */
interface Sum {
  sessions: number;
  received: number;
  sent: number;
}

const SAMPLE_MS = 5000;
const NONE: StreamTraffic = { sessions: 0, received: 0, sent: 0, kbps: { received: 0, sent: 0 } };

const newMeter = (): Meter => ({ received: 0, sent: 0, window: new RateWindow() });
const newSum = (): Sum => ({ sessions: 0, received: 0, sent: 0 });

/** Watches the traffic of sessions, streams and the whole server, by looking every five seconds. */
export class TrafficMeter {
  readonly #registry: SessionRegistry;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, RateWindow>();
  readonly #streams = new Map<StreamPath, Meter>();
  readonly #server = newMeter();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: readonly (() => void)[];

  constructor(options: { registry: SessionRegistry; events: EventBus; clock: Clock }) {
    const { events } = options;
    this.#registry = options.registry;
    this.#clock = options.clock;
    this.#timer = setInterval(() => this.sample(), SAMPLE_MS);
    this.#timer.unref();
    this.#stopListening = [
      events.on('stream-started', ({ path }) => void this.#streams.set(path, newMeter())),
      events.on('stream-ended', ({ path }) => void this.#streams.delete(path)),
      events.on('session-closed', ({ session, traffic }) => {
        this.#sessions.delete(session.id);
        for (const meter of [this.#streams.get(session.path), this.#server]) {
          if (meter === undefined) continue;
          meter.received += traffic.received;
          meter.sent += traffic.sent;
        }
      }),
    ];
  }

  /** Of an open session. */
  session(id: string): TrafficFigures {
    const traffic = this.#registry.get(id)?.traffic;
    if (traffic === undefined) return NONE;
    return { ...traffic, kbps: this.rateOf(id) };
  }

  /** The rate of an open session over the last 30 s, in kbit/s. */
  rateOf(id: string): TrafficFigures['kbps'] {
    return this.#sessions.get(id)?.kbps() ?? NONE.kbps;
  }

  /** Of a stream, since it began. For many of them, `streams` looks at the sessions only once. */
  stream(path: StreamPath): StreamTraffic {
    return this.streams().get(path) ?? NONE;
  }

  /** Of every stream there is, by its path. */
  streams(): ReadonlyMap<StreamPath, StreamTraffic> {
    const open = this.#openByPath();
    const figures = new Map<StreamPath, StreamTraffic>();
    for (const [path, meter] of this.#streams) figures.set(path, figuresOf(meter, open.get(path)));
    return figures;
  }

  /** Of all, since the server started. */
  server(): TrafficFigures {
    return figuresOf(this.#server, total(this.#openByPath()));
  }

  /** Looks at all totals. Called by its own timer. */
  sample(): void {
    const now = this.#clock.monotonic();
    const open = this.#openByPath((id, traffic) => {
      let window = this.#sessions.get(id);
      if (window === undefined) {
        window = new RateWindow();
        this.#sessions.set(id, window);
      }
      window.push(now, traffic);
    });
    for (const [path, meter] of this.#streams) meter.window.push(now, withOpen(meter, open.get(path)));
    this.#server.window.push(now, withOpen(this.#server, total(open)));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const stop of this.#stopListening) stop();
  }

  #openByPath(each?: (id: string, traffic: Traffic) => void): ReadonlyMap<StreamPath, Sum> {
    const sums = new Map<StreamPath, Sum>();
    for (const open of this.#registry.list()) {
      const { session, traffic } = open;
      each?.(session.id, traffic);
      let sum = sums.get(session.path);
      if (sum === undefined) {
        sum = newSum();
        sums.set(session.path, sum);
      }
      sum.sessions += 1;
      sum.received += traffic.received;
      sum.sent += traffic.sent;
    }
    return sums;
  }
}

function total(byPath: ReadonlyMap<StreamPath, Sum>): Sum {
  const all = newSum();
  for (const { sessions, received, sent } of byPath.values()) {
    all.sessions += sessions;
    all.received += received;
    all.sent += sent;
  }
  return all;
}

function withOpen(meter: Meter, open: Sum | undefined): Traffic {
  return { received: meter.received + (open?.received ?? 0), sent: meter.sent + (open?.sent ?? 0) };
}

function figuresOf(meter: Meter, open: Sum | undefined): StreamTraffic {
  return { sessions: open?.sessions ?? 0, ...withOpen(meter, open), kbps: meter.window.kbps() };
}
