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

interface Meter {
  /** Of sessions that are over. */
  received: number;
  sent: number;
  readonly window: RateWindow;
}

const SAMPLE_MS = 5000;
const NONE: TrafficFigures = { received: 0, sent: 0, kbps: { received: 0, sent: 0 } };

const newMeter = (): Meter => ({ received: 0, sent: 0, window: new RateWindow() });

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
    return { ...traffic, kbps: this.#sessions.get(id)?.kbps() ?? NONE.kbps };
  }

  /** Of a stream, since it began. */
  stream(path: StreamPath): TrafficFigures {
    const meter = this.#streams.get(path);
    return meter === undefined ? NONE : this.#figures(meter, path);
  }

  /** Of all, since the server started. */
  server(): TrafficFigures {
    return this.#figures(this.#server, undefined);
  }

  /** Looks at all totals. Called by its own timer. */
  sample(): void {
    const now = this.#clock.monotonic();
    const byPath = new Map<StreamPath, { received: number; sent: number }>();
    const all = { received: this.#server.received, sent: this.#server.sent };
    for (const { session, traffic } of this.#registry.list()) {
      const window = this.#sessions.get(session.id) ?? new RateWindow();
      this.#sessions.set(session.id, window);
      window.push(now, traffic);
      const sum = byPath.get(session.path) ?? { received: 0, sent: 0 };
      byPath.set(session.path, sum);
      for (const total of [sum, all]) {
        total.received += traffic.received;
        total.sent += traffic.sent;
      }
    }
    this.#server.window.push(now, all);
    for (const [path, meter] of this.#streams) {
      const open = byPath.get(path) ?? NONE;
      meter.window.push(now, { received: meter.received + open.received, sent: meter.sent + open.sent });
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const stop of this.#stopListening) stop();
  }

  #figures(meter: Meter, path: StreamPath | undefined): TrafficFigures {
    let { received, sent } = meter;
    for (const { session, traffic } of this.#registry.list()) {
      if (path !== undefined && session.path !== path) continue;
      received += traffic.received;
      sent += traffic.sent;
    }
    return { received, sent, kbps: meter.window.kbps() };
  }
}
