import type { NatsConnection } from '@nats-io/transport-node';
import type { Clock, Logger, StreamFetcher, StreamPath, StreamRouter } from '@sluice/core';
import type { NatsLink, NatsUser } from '../connection.js';
import type { RegisteredStream } from '../streams/stream-entry.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { EdgeStream } from './edge-stream.js';
import type { OriginRequest } from './message.js';
import { originSubject } from './subjects.js';

export interface EdgeStreamsOptions {
  readonly link: NatsLink;
  readonly namespace: string;
  readonly node: string;
  readonly registry: Pick<StreamRegistry, 'elsewhere'>;
  readonly router: StreamRouter;
  /** A stream that nobody has watched for so long is let go; 10 s by default. */
  readonly idleMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

const TICK_MS = 1000;
const IDLE_MS = 10_000;

/** The streams of other nodes that somebody watches here. */
export class EdgeStreams implements NatsUser, StreamFetcher {
  readonly #options: EdgeStreamsOptions;
  readonly #streams = new Map<StreamPath, EdgeStream>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopUsing: () => void;
  #connection: NatsConnection | undefined;

  constructor(options: EdgeStreamsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      for (const stream of this.#streams.values()) stream.tick();
    }, TICK_MS);
    this.#timer.unref();
    this.#stopUsing = options.link.use(this);
  }

  /** How many there are. */
  get size(): number {
    return this.#streams.size;
  }

  canFetch(path: StreamPath): boolean {
    return this.#connection !== undefined && this.#options.registry.elsewhere(path) !== undefined;
  }

  fetch(path: StreamPath): void {
    this.#begin(path);
  }

  /** Asks for a rendition of another node's stream, which is published there when it is made. */
  want(rendition: StreamPath, { node, epoch }: RegisteredStream): void {
    const request: OriginRequest = { do: 'want', path: rendition, epoch, edge: this.#options.node };
    this.#connection?.publish(originSubject(this.#options.namespace, node), JSON.stringify(request));
  }

  /** What is known of a path has changed, or of its stream here. */
  changed(path: StreamPath): void {
    const { registry, router } = this.#options;
    const entry = registry.elsewhere(path);
    const stream = this.#streams.get(path);
    // One that isn't in the registry any more says itself that it has ended, or falls silent.
    if (stream !== undefined && entry !== undefined && stream.entry.epoch !== entry.epoch) {
      stream.lost(`node ${entry.node} publishes it now`);
    }
    if (entry !== undefined && router.publisherOf(path) === undefined && router.isWanted(path)) this.#begin(path);
  }

  up(connection: NatsConnection): void {
    this.#connection = connection;
    for (const stream of this.#streams.values()) stream.join();
  }

  down(): void {
    this.#connection = undefined;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopUsing();
    for (const stream of [...this.#streams.values()]) stream.close();
  }

  #begin(path: StreamPath): void {
    const { registry, router, clock, log, namespace, node, idleMs = IDLE_MS } = this.#options;
    const entry = registry.elsewhere(path);
    if (entry === undefined || this.#streams.has(path)) return;
    const stream = new EdgeStream({
      ...{ entry, namespace, node, clock, log, router, idleMs },
      connection: () => this.#connection,
      onDone: () => {
        if (this.#streams.get(path) === stream) this.#streams.delete(path);
      },
    });
    this.#streams.set(path, stream);
  }
}
