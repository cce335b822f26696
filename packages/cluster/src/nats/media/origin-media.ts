import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import {
  type Clock,
  type ClusterTraffic,
  type Logger,
  messageOf,
  type OutputKind,
  type RenditionDirectory,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import { type Millis, millis } from '@sluice/media';
import type { RelayBatch, RelayLink, RelayOutput, RelaySink } from '../../relay/relay-output.js';
import type { NatsLink, NatsUser } from '../connection.js';
import type { StreamRegistry } from '../streams/stream-registry.js';
import { type OriginAnswer, type OriginRequest, packMessage, packMessages, requestSchema } from './message.js';
import { Pacer } from './pacer.js';
import { mediaSubject, originSubject } from './subjects.js';

export interface OriginMediaOptions {
  readonly link: NatsLink;
  readonly namespace: string;
  readonly node: string;
  readonly registry: Pick<StreamRegistry, 'epochOf'>;
  readonly router: StreamRouter;
  /** This node's own. */
  readonly renditions: Pick<RenditionDirectory, 'want'>;
  /** What a path is a rendition of; undefined where it is none. */
  readonly sourceOf: (path: StreamPath) => StreamPath | undefined;
  readonly kind: OutputKind<RelayOutput>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An edge that hasn't said for so long that it wants a stream doesn't. */
export const INTEREST_MS = 10_000;
/** So often edges are told that all is well, where nothing else is said. */
export const HEARTBEAT_MS = 1000;
/** So much may be on its way to NATS. Some seconds of a few streams; beyond it, edges are moved on to a keyframe. */
const MOST_BYTES_ON_THE_WAY = 32 * 1024 * 1024;

const json = (value: OriginAnswer): string => JSON.stringify(value);

/** What this node publishes, for other nodes: each stream goes to NATS once while any of them wants it. */
export class OriginMedia implements NatsUser {
  readonly #options: OriginMediaOptions;
  readonly #streams = new Map<StreamPath, WantedStream>();
  readonly #pacer: Pacer;
  readonly #timer: NodeJS.Timeout;
  readonly #stopUsing: () => void;
  #connection: NatsConnection | undefined;
  #subscription: Subscription | undefined;

  constructor(options: OriginMediaOptions) {
    this.#options = options;
    this.#pacer = new Pacer({
      mostBytes: MOST_BYTES_ON_THE_WAY,
      onRoom: () => {
        for (const stream of this.#streams.values()) stream.resume();
      },
    });
    this.#timer = setInterval(() => this.#tick(), HEARTBEAT_MS);
    this.#timer.unref();
    this.#stopUsing = options.link.use(this);
  }

  /** Streams that other nodes have from here, and what they cost. */
  get figures(): Omit<ClusterTraffic, 'fetched'> {
    let edges = 0;
    for (const stream of this.#streams.values()) edges += stream.edges;
    return {
      streams: [...this.#streams.values()].filter((stream) => stream.edges > 0).length,
      edges,
      sentBytes: this.#pacer.sent,
    };
  }

  up(connection: NatsConnection, isFirst: boolean): void {
    this.#connection = connection;
    this.#pacer.up(connection);
    if (!isFirst && this.#subscription !== undefined) return;
    const { namespace, node } = this.#options;
    this.#subscription = connection.subscribe(originSubject(namespace, node), {
      callback: (error, message) => {
        if (error === null) this.#answer(message);
      },
    });
  }

  down(): void {
    this.#connection = undefined;
    this.#pacer.down();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopUsing();
    this.#subscription?.unsubscribe();
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  #answer(message: Msg): void {
    let request: OriginRequest;
    try {
      request = requestSchema.parse(message.json());
    } catch (error) {
      this.#options.log.warn({ detail: messageOf(error) }, 'another node asks for something that can not be read');
      return;
    }
    const path = request.path as StreamPath;
    const { renditions, sourceOf } = this.#options;
    if (request.do === 'want') {
      const source = sourceOf(path);
      if (source !== undefined && this.#options.registry.epochOf(source) === request.epoch) renditions.want(path);
      return;
    }
    const stream = this.#options.router.find(path);
    if (stream === undefined || this.#options.registry.epochOf(path) !== request.epoch) {
      message.respond(json({ refused: `${path} is not what ${this.#options.node} publishes` }));
      return;
    }
    const wanted = this.#streams.get(path);
    if (request.do === 'keyframe') stream.requestKeyframe();
    else if (request.do === 'leave') wanted?.leave(request.edge);
    else if (request.do === 'keep') {
      renditions.want(path);
      const next = wanted?.keep(request.edge, this.#now);
      message.respond(json(next === undefined ? { refused: 'join first' } : { next, messages: 0 }));
    } else this.#join(message, request, stream.output(this.#options.kind));
  }

  #join(message: Msg, { path, epoch, edge }: OriginRequest, output: RelayOutput): void {
    const connection = this.#connection;
    if (connection === undefined || message.reply === undefined) return;
    const wanted = this.#wanted(path as StreamPath, epoch);
    wanted.attach(output);
    wanted.keep(edge, this.#now);
    const { pieces } = output.join();
    const maxPayload = connection.info?.max_payload ?? 0;
    const messages = packMessages(pieces, 0, maxPayload);
    connection.publish(message.reply, json({ next: wanted.next, messages: messages.length }));
    for (const each of messages) this.#pacer.publish(message.reply, each);
  }

  #wanted(path: StreamPath, epoch: string): WantedStream {
    const known = this.#streams.get(path);
    if (known?.epoch === epoch) return known;
    known?.close();
    const subject = mediaSubject(this.#options.namespace, path, epoch);
    const made = new WantedStream(epoch, {
      hasRoom: () => this.#pacer.hasRoom,
      send: (message) => this.#pacer.publish(subject, message),
      maxPayload: () => this.#connection?.info?.max_payload ?? 0,
    });
    this.#streams.set(path, made);
    return made;
  }

  get #now(): Millis {
    return this.#options.clock.monotonic();
  }

  #tick(): void {
    for (const [path, stream] of this.#streams) {
      stream.tick(this.#now);
      // One that nobody wants at the moment goes on counting when somebody does.
      if (this.#options.registry.epochOf(path) === stream.epoch) continue;
      stream.close();
      this.#streams.delete(path);
    }
  }
}

interface Way {
  readonly hasRoom: () => boolean;
  /** @returns whether there is room for more */
  readonly send: (message: Buffer) => boolean;
  readonly maxPayload: () => number;
}

/** One stream on its way to NATS, and who wants it. */
class WantedStream implements RelaySink {
  readonly epoch: string;
  /** They are counted where they watch. */
  readonly viewers = 0;
  readonly #way: Way;
  /** Until when, by the edge's name. */
  readonly #edges = new Map<string, Millis>();
  #link: RelayLink | undefined;
  #isBeginning = false;
  #next = 0;
  #saidSince = false;

  constructor(epoch: string, way: Way) {
    this.epoch = epoch;
    this.#way = way;
  }

  get edges(): number {
    return this.#edges.size;
  }

  /** The number of the message that comes next. */
  get next(): number {
    return this.#next;
  }

  /** From now on all of it goes to NATS. */
  attach(output: RelayOutput): void {
    if (this.#link !== undefined) return;
    // What a line begins with is told to each edge by itself.
    this.#isBeginning = true;
    this.#link = output.attach(this);
    this.#isBeginning = false;
  }

  /** @returns the number of the message that comes next; undefined for an edge that has to join first */
  keep(edge: string, now: Millis): number | undefined {
    if (this.#link === undefined) return undefined;
    this.#edges.set(edge, millis(now + INTEREST_MS));
    return this.#next;
  }

  leave(edge: string): void {
    this.#edges.delete(edge);
    if (this.#edges.size === 0) this.close();
  }

  resume(): void {
    this.#link?.resume();
  }

  tick(now: Millis): void {
    for (const [edge, until] of this.#edges) if (until < now) this.leave(edge);
    if (this.#link !== undefined && !this.#saidSince && this.#way.hasRoom()) {
      this.#way.send(packMessage({ number: this.#next, bytes: Buffer.alloc(0) }));
    }
    this.#saidSince = false;
  }

  write({ pieces }: RelayBatch): boolean {
    if (this.#isBeginning) return true;
    let hasRoom = this.#way.hasRoom();
    if (!hasRoom) {
      // Edges see that it is missing, and join anew.
      this.#next += 1;
      return false;
    }
    for (const message of packMessages(pieces, this.#next, this.#way.maxPayload())) {
      this.#next += 1;
      hasRoom = this.#way.send(message);
    }
    this.#saidSince = true;
    return hasRoom;
  }

  ended(): void {
    this.#link = undefined;
    this.#edges.clear();
  }

  close(): void {
    this.#link?.detach();
    this.#link = undefined;
    this.#edges.clear();
  }
}
