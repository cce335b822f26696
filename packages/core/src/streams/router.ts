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
  /** Nobody will come back: the stream ends at once, grace window or not. Later calls do nothing. */
  endForGood(reason: string): void;
}

/** Where encoders publish: the router itself, or the way to the one of another process. */
export interface Publishing {
  /** @throws {Refusal} `already-publishing` or `shutting-down` */
  publish(session: Session, control: PublisherControl): PublicationFeed | Promise<PublicationFeed>;
}

/** What an encoder's door needs of a publication. */
export type PublicationFeed = Pick<Publication, 'write' | 'end'>;

/** Who can get streams that are live elsewhere: on another server, in another process. */
export interface StreamFetcher {
  /** Whether a path that is not live here may be had elsewhere. Cheap: it is asked at every door. */
  canFetch(path: StreamPath): boolean;
  /**
   * Somebody waits for a path that can be fetched and is not live here; called again for each who comes. Whoever
   * fetches it publishes it by `StreamRouter.publish`, or tells those who wait why not by `StreamRouter.refuse`.
   *
   * @param viewer who waits, where that is known
   */
  fetch(path: StreamPath, viewer: Session | undefined): void;
}

/** How somebody waits for a stream. */
export interface Wait {
  /** How long; as the path's settings say where it is left out. */
  readonly forSeconds?: number | undefined;
  /** Who waits. */
  readonly viewer?: Session | undefined;
}

interface PublishedStream {
  readonly stream: Stream;
  publication: { readonly handle: Publication; readonly control: PublisherControl } | undefined;
  graceTimer: NodeJS.Timeout | undefined;
}

interface Waiter {
  /** With the stream, or with why there is no more hope of it. */
  readonly settle: (outcome: Stream | Refusal) => void;
}

const SWEEP_INTERVAL_MS = 1000;
/** What has to come from elsewhere is waited for that long at least, whatever the settings say of encoders. */
const FETCH_PATIENCE_SECONDS = 10;

const NO_FETCHER: StreamFetcher = { canFetch: () => false, fetch: () => undefined };

/** Knows every stream by its path: who publishes it, who waits for it, and when it is over. */
export class StreamRouter implements Publishing {
  readonly #streams = new Map<StreamPath, PublishedStream>();
  readonly #waiters = new Map<StreamPath, Set<Waiter>>();
  readonly #clock: Clock;
  readonly #events: EventBus;
  readonly #settingsFor: (path: StreamPath) => PathSettings;
  readonly #convertSound: ConvertSound;
  readonly #refusalFor: (path: StreamPath) => Refusal | undefined;
  readonly #fetcher: StreamFetcher;
  readonly #sweepTimer: NodeJS.Timeout;
  #closed = false;

  constructor(options: {
    clock: Clock;
    events: EventBus;
    settingsFor: (path: StreamPath) => PathSettings;
    convertSound: ConvertSound;
    /** Why there is no hope of a path that is not live; undefined where somebody may still publish it. */
    refusalFor?: (path: StreamPath) => Refusal | undefined;
    /** Where streams come from that nobody publishes here. */
    fetcher?: StreamFetcher;
  }) {
    this.#convertSound = options.convertSound;
    this.#refusalFor = options.refusalFor ?? (() => undefined);
    this.#fetcher = options.fetcher ?? NO_FETCHER;
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
   * @param follows the timeline that its samples have their times of, which are taken as they are, unless the stream
   *   has got times of its own, or of another one
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
      endForGood: (reason) => {
        if (published.publication?.handle !== handle) return;
        published.publication = undefined;
        this.#end(published, reason);
      },
    };
    published.publication = { handle, control };
    if (known === undefined) {
      this.#events.emit('stream-started', { path, session });
    } else {
      known.stream.handOver(follows);
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

  /** Whether a path that is not live here may be had elsewhere: it is worth to wait for it. */
  canFetch(path: StreamPath): boolean {
    return !this.#closed && this.#fetcher.canFetch(path);
  }

  /** Whether somebody waits for a path, or uses its stream. */
  isWanted(path: StreamPath): boolean {
    if (this.#waiters.has(path)) return true;
    const stream = this.find(path);
    return stream !== undefined && stream.idleSince === undefined;
  }

  /** Tells those who wait for a path why it can't be had. Who comes later is no matter of this. */
  refuse(path: StreamPath, refusal: Refusal): void {
    for (const waiter of [...(this.#waiters.get(path) ?? [])]) waiter.settle(refusal);
  }

  /**
   * The stream of a path, as soon as somebody publishes it, or it has been fetched.
   *
   * @param signal gives up when the viewer is gone
   * @throws {Refusal} `not-live` when nobody did in that time; `unavailable` at once where nobody can; or as whoever
   *   fetched it says
   */
  async waitFor(path: StreamPath, signal: AbortSignal, { forSeconds, viewer }: Wait = {}): Promise<Stream> {
    const stream = this.find(path);
    if (stream !== undefined) return stream;
    const hopeless = this.#refusalFor(path);
    if (hopeless !== undefined) throw hopeless;
    const canFetch = this.canFetch(path);
    const patience = forSeconds ?? this.#settingsFor(path).viewers.waitForStreamSeconds;
    const seconds = canFetch ? Math.max(patience, FETCH_PATIENCE_SECONDS) : patience;
    const refusal = new Refusal('not-live', `nobody publishes ${path}`);
    if (seconds === 0 || this.#closed || signal.aborted) throw refusal;
    const found = this.#wait(path, signal, seconds, refusal);
    // After it is among those who wait, so that it is there for whatever comes at once.
    if (canFetch) this.#fetcher.fetch(path, viewer);
    return found;
  }

  #wait(path: StreamPath, signal: AbortSignal, seconds: number, inVain: Refusal): Promise<Stream> {
    const waiters = this.#waiters.get(path) ?? new Set();
    this.#waiters.set(path, waiters);
    return new Promise<Stream>((resolve, reject) => {
      const settle = (outcome: Stream | Refusal) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(path);
        if (outcome instanceof Refusal) reject(outcome);
        else resolve(outcome);
      };
      const giveUp = () => settle(inVain);
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
    for (const path of [...this.#waiters.keys()]) {
      this.refuse(path, new Refusal('not-live', `nobody publishes ${path}: ${reason}`));
    }
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
