import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { type Clock, type Logger, messageOf, type StreamRouter } from '@sluice/core';
import { MediaError } from '@sluice/media';
import type { RelayFrame } from '../../relay/frame.js';
import { RelayedStream } from '../../relay/relayed-stream.js';
import { FrameReader } from '../../relay/wire/frame-reader.js';
import type { RegisteredStream } from '../streams/stream-entry.js';
import { answerSchema, type MediaMessage, type OriginRequest, unpackMessage } from './message.js';
import { mediaSubject, originSubject } from './subjects.js';

export interface EdgeStreamOptions {
  readonly entry: RegisteredStream;
  readonly namespace: string;
  /** This node's name. */
  readonly node: string;
  readonly router: StreamRouter;
  readonly connection: () => NatsConnection | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** A stream that nobody has watched for so long is let go. */
  readonly idleMs: number;
  /** It is over, for whatever reason. */
  readonly onDone: () => void;
}

/** What is being gathered until there is enough to begin with. */
interface Joining {
  readonly inbox: Subscription;
  readonly since: number;
  /** Of the stream's messages, the first that isn't in what the origin gives; undefined before its answer. */
  next: number | undefined;
  /** Messages of the answer that are still to come. */
  missing: number;
  readonly gathered: Buffer[];
  /** Messages of the stream that have come meanwhile. */
  readonly ahead: MediaMessage[];
  aheadBytes: number;
}

/**
 * An origin that has said nothing between so many looks, a second apart, is silent; it says something once a second. It
 * isn't time that counts: this process may not have come to read for a while.
 */
const SILENT_LOOKS = 3;
/** An answer is waited for so long, and then twice as long: what is slow isn't asked for faster than it comes. */
const JOIN_MS = 2000;
const LONGEST_JOIN_MS = 16_000;
/** So often the origin is told that the stream is still wanted. */
const KEEP_MS = 3000;
/** More is not kept while the origin's answer is on its way. */
const MOST_AHEAD = 64 * 1024 * 1024;

/** A stream of another node, published here as long as somebody watches it. */
export class EdgeStream {
  readonly entry: RegisteredStream;
  readonly #options: EdgeStreamOptions;
  readonly #relayed: RelayedStream;
  readonly #origin: string;
  #media: { readonly connection: NatsConnection; readonly subscription: Subscription } | undefined;
  #joining: Joining | undefined;
  #reader = new FrameReader();
  #expected = 0;
  #silentLooks = 0;
  #patienceMs = JOIN_MS;
  #keptAt = 0;
  #isDone = false;

  constructor(options: EdgeStreamOptions) {
    const { entry, namespace, router } = options;
    this.entry = entry;
    this.#options = options;
    this.#origin = originSubject(namespace, entry.node);
    this.#relayed = new RelayedStream({
      router,
      session: entry.session,
      control: { cut: () => this.#leave(), requestKeyframe: () => this.#ask('keyframe') },
    });
    this.join();
  }

  /** Begins, or begins anew where messages have been lost. */
  join(): void {
    const connection = this.#options.connection();
    if (connection === undefined || this.#isDone) return;
    this.#subscribe(connection);
    this.#endJoin();
    const reply = createInbox();
    const inbox = connection.subscribe(reply, { callback: (_, message) => this.#takeAnswer(message) });
    const since = this.#options.clock.monotonic();
    this.#joining = { inbox, since, next: undefined, missing: 0, gathered: [], ahead: [], aheadBytes: 0 };
    this.#ask('join', reply);
  }

  /** About once a second. */
  tick(): void {
    if (this.#isDone) return;
    const now = this.#options.clock.monotonic();
    const { router } = this.#options;
    const { path, node } = this.entry;
    const stream = router.find(path);
    if (this.#relayed.isLive && stream?.idleSince !== undefined && now - stream.idleSince > this.#options.idleMs) {
      this.#relayed.end('nobody watches');
      this.#leave();
      return;
    }
    if (!this.#relayed.isLive && !router.isWanted(path)) {
      this.#leave();
      return;
    }
    this.#silentLooks += 1;
    if (this.#silentLooks > SILENT_LOOKS) {
      if (this.#relayed.isLive) this.#relayed.lost(`node ${node} has not been heard of for ${SILENT_LOOKS} s`);
      if (this.#joining === undefined) this.join();
    }
    if (this.#joining !== undefined && now - this.#joining.since > this.#patienceMs) {
      this.#patienceMs = Math.min(LONGEST_JOIN_MS, this.#patienceMs * 2);
      this.join();
    }
    if (now - this.#keptAt > KEEP_MS) this.#keep(now);
  }

  /** The path is not what it was: another node's, or nobody's. */
  lost(reason: string): void {
    this.#relayed.lost(reason);
    this.#leave();
  }

  /** This node goes down. */
  close(): void {
    this.#leave();
  }

  #subscribe(connection: NatsConnection): void {
    if (this.#media?.connection === connection) return;
    this.#media?.subscription.unsubscribe();
    const { namespace } = this.#options;
    const { path, epoch } = this.entry;
    const subscription = connection.subscribe(mediaSubject(namespace, path, epoch), {
      callback: (error, message) => {
        if (error === null) this.#guard(() => this.#takeMedia(unpackMessage(message.data)));
      },
    });
    this.#media = { connection, subscription };
  }

  #ask(what: OriginRequest['do'], reply?: string): void {
    const { path, epoch } = this.entry;
    const request: OriginRequest = { do: what, path, epoch, edge: this.#options.node };
    this.#options.connection()?.publish(this.#origin, JSON.stringify(request), reply === undefined ? {} : { reply });
  }

  #keep(now: number): void {
    this.#keptAt = now;
    const connection = this.#options.connection();
    if (connection === undefined || this.#joining !== undefined) return;
    const { path, epoch } = this.entry;
    const request: OriginRequest = { do: 'keep', path, epoch, edge: this.#options.node };
    connection.request(this.#origin, JSON.stringify(request), { timeout: JOIN_MS }).then(
      (message) => {
        if (!('refused' in answerSchema.parse(message.json()))) return;
        if (this.#joining === undefined) this.join();
      },
      // An origin that is gone is noticed by its silence.
      () => undefined,
    );
  }

  #takeAnswer(message: Msg): void {
    const joining = this.#joining;
    // NATS says that nobody listens: the origin is gone, or isn't there yet.
    if (joining === undefined || this.#isDone || message.headers?.code === 503) return;
    this.#silentLooks = 0;
    this.#guard(() => {
      if (joining.next !== undefined) {
        joining.gathered.push(unpackMessage(message.data).bytes);
        joining.missing -= 1;
      } else {
        const answer = answerSchema.parse(message.json());
        if ('refused' in answer) return;
        joining.next = answer.next;
        joining.missing = answer.messages;
      }
      if (joining.missing === 0) this.#begin(joining, joining.next);
    });
  }

  #begin({ gathered, ahead }: Joining, next: number): void {
    this.#endJoin();
    this.#patienceMs = JOIN_MS;
    this.#reader = new FrameReader();
    this.#expected = next;
    for (const bytes of gathered) this.#feed(bytes);
    for (const message of ahead) {
      if (this.#joining === undefined) this.#takeMedia(message);
    }
  }

  #takeMedia(message: MediaMessage): void {
    this.#silentLooks = 0;
    const joining = this.#joining;
    if (joining !== undefined) {
      if (joining.next !== undefined && message.number < joining.next) return;
      joining.aheadBytes += message.bytes.length;
      if (message.bytes.length > 0 && joining.aheadBytes <= MOST_AHEAD) joining.ahead.push(message);
      return;
    }
    if (message.number < this.#expected) return;
    if (message.number > this.#expected) {
      this.join();
      return;
    }
    if (message.bytes.length === 0) return;
    this.#expected += 1;
    this.#feed(message.bytes);
  }

  #feed(bytes: Buffer): void {
    for (const { frame } of this.#reader.push(bytes)) this.#relayed.take(frame as RelayFrame);
    if (this.#relayed.isOver) this.#leave();
  }

  /** What an origin says that can't be read, or can't be published, ends this and nothing else. */
  #guard(take: () => void): void {
    try {
      take();
    } catch (error) {
      const { path, node } = this.entry;
      this.#options.log.warn({ path, node, detail: messageOf(error) }, 'a stream of another node can not be taken');
      if (error instanceof MediaError && !this.#isDone) this.#relayed.lost(messageOf(error));
      this.#leave();
    }
  }

  #endJoin(): void {
    this.#joining?.inbox.unsubscribe();
    this.#joining = undefined;
  }

  #leave(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#endJoin();
    this.#media?.subscription.unsubscribe();
    this.#ask('leave');
    this.#options.onDone();
  }
}
