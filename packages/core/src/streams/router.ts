import type { MediaEvent, Millis } from '@sluice/media';
import type { Session } from '../access/session.js';
import type { Clock } from '../clock.js';
import type { PathSettings } from '../config/schema.js';
import { Refusal } from '../errors.js';
import type { EventBus } from '../events.js';
import type { StreamPath } from '../stream-path.js';
import type { ConvertSound } from './converted-sound.js';
import type { StreamDescription } from './output.js';
import { Stream, type Timescape } from './stream.js';

/** What the router and a stream can ask of a publisher. */
export interface PublisherControl {
  /** Ends the publisher's connection: another one takes over, or the server goes down. */
  readonly cut: (reason: string) => void;
  /** Asks the encoder for a keyframe, where its protocol has a word for that. */
  readonly requestKeyframe?: () => void;
}

/** A publisher's hold on a stream. */
export interface Publication {
  readonly session: Session;
  readonly stream: Stream;
  /** Ignored once the publication has ended. */
  write(event: MediaEvent): void;
  /** All tracks that there are from the next sample on, and no others; for publications that follow another stream. */
  describe(description: StreamDescription): void;
  /** The encoder behind it began anew, and viewers see a seam; for publications that follow another stream. */
  restart(): void;
  /** The encoder is gone. Viewers stay for the path's grace window. Later calls do nothing. */
  end(reason: string): void;
}

interface PublishedStream {
  readonly stream: Stream;
  publication: { readonly handle: Publication; readonly control: PublisherControl } | undefined;
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
  readonly #convertSound: ConvertSound;
  readonly #refusalFor: (path: StreamPath) => Refusal | undefined;
  readonly #sweepTimer: NodeJS.Timeout;
  #closed = false;

  constructor(options: {
    clock: Clock;
    events: EventBus;
    settingsFor: (path: StreamPath) => PathSettings;
    convertSound: ConvertSound;
    /** Why there is no hope of a path that is not live; undefined where somebody may still publish it. */
    refusalFor?: (path: StreamPath) => Refusal | undefined;
  }) {
    this.#convertSound = options.convertSound;
    this.#refusalFor = options.refusalFor ?? (() => undefined);
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
   * @param follows the timeline that its samples have their times of, which are taken as they are
   * @throws {Refusal} `already-publishing` or `shutting-down`
   */
  publish(session: Session, control: PublisherControl, follows?: Timescape): Publication {
    if (this.#closed) throw new Refusal('shutting-down', 'the server is going down');
    const { path } = session;
    const known = this.#streams.get(path);
    const holder = known?.publication;
    if (known !== undefined && holder !== undefined) {
      if (known.stream.settings.publish.takeover === 'refuse') {
        throw new Refusal('already-publishing', `${path} is being published from ${holder.handle.session.ip}`);
      }
      known.publication = undefined;
      holder.control.cut('replaced by another publisher');
    }
    const published = known ?? this.#open(path, follows);
    clearTimeout(published.graceTimer);
    const handle: Publication = {
      session,
      stream: published.stream,
      write: (event) => {
        if (published.publication?.handle === handle) published.stream.write(event);
      },
      describe: (description) => {
        if (published.publication?.handle === handle) published.stream.describe(description);
      },
      restart: () => {
        if (published.publication?.handle === handle) published.stream.resume();
      },
      end: (reason) => {
        if (published.publication?.handle === handle) this.#pause(published, reason);
      },
    };
    published.publication = { handle, control };
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
   * @param forSeconds how long to wait; as long as the path's settings say where it is left out
   * @throws {Refusal} `not-live` when nobody did in that time; `unavailable` at once where nobody can
   */
  async waitFor(path: StreamPath, signal: AbortSignal, forSeconds?: number): Promise<Stream> {
    const stream = this.find(path);
    if (stream !== undefined) return stream;
    const seconds = forSeconds ?? this.#settingsFor(path).viewers.waitForStreamSeconds;
    const hopeless = this.#refusalFor(path);
    if (hopeless !== undefined) throw hopeless;
    const refusal = new Refusal('not-live', `nobody publishes ${path}`);
    if (seconds === 0 || this.#closed || signal.aborted) throw refusal;
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
      const timer = Number.isFinite(seconds) ? setTimeout(giveUp, seconds * 1000) : undefined;
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
      holder?.control.cut(reason);
      this.#end(published, reason);
    }
    for (const waiter of [...this.#waiters.values()].flatMap((waiters) => [...waiters])) waiter.settle(undefined);
  }

  #open(path: StreamPath, follows: Timescape | undefined): PublishedStream {
    const settings = this.#settingsFor(path);
    const requestKeyframe = () => published.publication?.control.requestKeyframe?.();
    const stream = new Stream({
      path,
      settings,
      clock: this.#clock,
      requestKeyframe,
      convertSound: this.#convertSound,
      follows,
    });
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
