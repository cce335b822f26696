import type { MediaEvent, Millis } from '@sluice/media';
import type { Session } from '../access/session.js';
import type { Clock } from '../clock.js';
import type { PathSettings } from '../config/schema.js';
import { Refusal } from '../errors.js';
import type { EventBus } from '../events.js';
import type { StreamPath } from '../stream-path.js';
import { Stream } from './stream.js';

/** A publisher's hold on a stream. */
export interface Publication {
  readonly session: Session;
  readonly stream: Stream;
  /** Ignored once the publication has ended. */
  write(event: MediaEvent): void;
  /** The encoder is gone. Viewers stay for the path's grace window. Later calls do nothing. */
  end(reason: string): void;
}

interface PublishedStream {
  readonly stream: Stream;
  publication: { readonly handle: Publication; readonly cut: (reason: string) => void } | undefined;
  graceTimer: NodeJS.Timeout | undefined;
}

interface Waiter {
  /** With the stream, or with nothing when there is no more hope of it. */
  readonly settle: (stream: Stream | undefined) => void;
}

const SWEEP_INTERVAL_MS = 1000;

/** Knows every stream by its path: who publishes it, who waits for it, and when it is over. */
export class StreamRouter {
  readonly #streams = new Map<StreamPath, PublishedStream>();
  readonly #waiters = new Map<StreamPath, Set<Waiter>>();
  readonly #clock: Clock;
  readonly #events: EventBus;
  readonly #settingsFor: (path: StreamPath) => PathSettings;
  readonly #sweepTimer: NodeJS.Timeout;
  #closed = false;

  constructor(options: { clock: Clock; events: EventBus; settingsFor: (path: StreamPath) => PathSettings }) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#settingsFor = options.settingsFor;
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    this.#sweepTimer.unref();
  }

  /**
   * Begins a publication: a new stream, or one that waits for its encoder, or, where the path's policy is `replace`,
   * one that another encoder publishes.
   *
   * @param cut ends the publisher's connection; called when another one takes over or the server goes down
   * @throws {Refusal} `already-publishing` or `shutting-down`
   */
  publish(session: Session, cut: (reason: string) => void): Publication {
    if (this.#closed) throw new Refusal('shutting-down', 'the server is going down');
    const { path } = session;
    const known = this.#streams.get(path);
    const holder = known?.publication;
    if (known !== undefined && holder !== undefined) {
      if (known.stream.settings.publish.takeover === 'refuse') {
        throw new Refusal('already-publishing', `${path} is being published from ${holder.handle.session.ip}`);
      }
      known.publication = undefined;
      holder.cut('replaced by another publisher');
    }
    const published = known ?? this.#open(path);
    clearTimeout(published.graceTimer);
    const handle: Publication = {
      session,
      stream: published.stream,
      write: (event) => {
        if (published.publication?.handle === handle) published.stream.write(event);
      },
      end: (reason) => {
        if (published.publication?.handle === handle) this.#pause(published, reason);
      },
    };
    published.publication = { handle, cut };
    if (known === undefined) {
      this.#events.emit('stream-started', { path, session });
    } else {
      known.stream.resume();
      this.#events.emit('stream-resumed', { path, session });
    }
    this.#wake(published.stream);
    return handle;
  }

  find(path: StreamPath): Stream | undefined {
    return this.#streams.get(path)?.stream;
  }

  /** Whether it has been closed: no publication is granted any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Who publishes a path at the moment. */
  publisherOf(path: StreamPath): Session | undefined {
    return this.#streams.get(path)?.publication?.handle.session;
  }

  streams(): Stream[] {
    return [...this.#streams.values()].map((published) => published.stream);
  }

  /**
   * The stream of a path, as soon as somebody publishes it.
   *
   * @param signal gives up when the viewer is gone
   * @throws {Refusal} `not-live` when nobody did in the path's waiting time
   */
  async waitFor(path: StreamPath, signal: AbortSignal): Promise<Stream> {
    const stream = this.find(path);
    if (stream !== undefined) return stream;
    const { waitForStreamSeconds } = this.#settingsFor(path).viewers;
    const refusal = new Refusal('not-live', `nobody publishes ${path}`);
    if (waitForStreamSeconds === 0 || this.#closed || signal.aborted) throw refusal;
    const waiters = this.#waiters.get(path) ?? new Set();
    this.#waiters.set(path, waiters);
    return new Promise<Stream>((resolve, reject) => {
      const settle = (found: Stream | undefined) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(path);
        if (found === undefined) reject(refusal);
        else resolve(found);
      };
      const giveUp = () => settle(undefined);
      const waiter: Waiter = { settle };
      const timer = setTimeout(giveUp, waitForStreamSeconds * 1000);
      signal.addEventListener('abort', giveUp);
      waiters.add(waiter);
    });
  }

  /** Ends every publication and every stream, and all waiting for one. No new ones are granted. */
  close(reason: string): void {
    this.#closed = true;
    clearInterval(this.#sweepTimer);
    for (const published of [...this.#streams.values()]) {
      const holder = published.publication;
      published.publication = undefined;
      holder?.cut(reason);
      this.#end(published, reason);
    }
    for (const waiter of [...this.#waiters.values()].flatMap((waiters) => [...waiters])) waiter.settle(undefined);
  }

  #open(path: StreamPath): PublishedStream {
    const settings = this.#settingsFor(path);
    const stream = new Stream(path, settings, this.#clock);
    const published: PublishedStream = { stream, publication: undefined, graceTimer: undefined };
    this.#streams.set(path, published);
    return published;
  }

  #pause(published: PublishedStream, reason: string): void {
    published.publication = undefined;
    const { graceSeconds } = published.stream.settings.publish;
    if (graceSeconds === 0) {
      this.#end(published, reason);
      return;
    }
    published.stream.pause();
    published.graceTimer = setTimeout(() => this.#end(published, reason), graceSeconds * 1000);
    // Last, because a listener may publish, or close the router, and then stop that timer.
    this.#events.emit('stream-waiting', { path: published.stream.path, reason });
  }

  #end(published: PublishedStream, reason: string): void {
    clearTimeout(published.graceTimer);
    const { stream } = published;
    this.#streams.delete(stream.path);
    stream.end(reason);
    this.#events.emit('stream-ended', { path: stream.path, reason, received: stream.received });
  }

  #wake(stream: Stream): void {
    for (const waiter of [...(this.#waiters.get(stream.path) ?? [])]) waiter.settle(stream);
  }

  #sweep(): void {
    const now: Millis = this.#clock.monotonic();
    for (const { stream } of this.#streams.values()) stream.sweep(now);
  }
}
