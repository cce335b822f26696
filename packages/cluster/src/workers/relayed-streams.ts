import { Refusal, type Session, type StreamFetcher, type StreamPath, type StreamRouter } from '@sluice/core';
import { type Millis, millis } from '@sluice/media';
import type { NumberedFrame } from '../relay/frame.js';
import { RelayedStream } from '../relay/relayed-stream.js';
import { type FromWorker, refusalFromWire, type ToWorker } from './messages.js';

interface Relay {
  readonly path: StreamPath;
  readonly relayed: RelayedStream;
  /** On the line; undefined while nothing comes. */
  stream: number | undefined;
  /** As they were told last. */
  viewers: number;
}

/** A stream that nobody has watched for so long isn't asked for any more. */
const UNWATCHED_MS = millis(10_000);

/** A worker's streams, which the main process has: fetched when somebody waits for one, and let go when nobody watches. */
export class RelayedStreams implements StreamFetcher {
  readonly #router: () => StreamRouter;
  readonly #send: (message: FromWorker) => void;
  readonly #stays: (path: StreamPath) => boolean;
  readonly #live = new Set<StreamPath>();
  /** Not live, but to be had: renditions, and what comes from other servers. */
  readonly #fetchable = new Set<StreamPath>();
  readonly #asked = new Set<StreamPath>();
  readonly #byPath = new Map<StreamPath, Relay>();
  readonly #byStream = new Map<number, Relay>();

  constructor(options: {
    router: () => StreamRouter;
    send: (message: FromWorker) => void;
    /** Whether a stream is fetched as soon as it is live, and stays until it ends. */
    stays: (path: StreamPath) => boolean;
  }) {
    this.#router = options.router;
    this.#send = options.send;
    this.#stays = options.stays;
  }

  canFetch(path: StreamPath): boolean {
    return this.#live.has(path) || this.#fetchable.has(path);
  }

  fetch(path: StreamPath, viewer: Session | undefined): void {
    if (this.#asked.has(path) || this.#byPath.get(path)?.stream !== undefined) return;
    this.#asked.add(path);
    this.#send({ type: 'watch', path, viewer: viewer?.id });
  }

  /** What the gate said of a path when it let somebody in. */
  noteAdmission(path: StreamPath, canFetch: boolean): void {
    if (canFetch) this.#fetchable.add(path);
    else this.#fetchable.delete(path);
  }

  take(message: ToWorker & { type: 'live' | 'over' | 'relay' | 'no-relay' | 'relay-lost' }): void {
    switch (message.type) {
      case 'live':
        this.#live.add(message.path);
        if (this.#stays(message.path) || this.#isWaitedFor(message.path)) this.fetch(message.path, undefined);
        break;
      case 'over':
        this.#live.delete(message.path);
        break;
      case 'relay':
        this.#begin(message.path, message.stream, message.session);
        break;
      case 'no-relay':
        this.#asked.delete(message.path);
        this.#fetchable.delete(message.path);
        this.#router().refuse(message.path, refusalFromWire(message.refusal));
        break;
      case 'relay-lost':
        this.#lost(message.stream, message.reason);
        break;
    }
  }

  /** Takes a frame of a stream. What belongs to none, because it was let go, is left out. */
  frame({ stream, frame }: NumberedFrame): void {
    const relay = this.#byStream.get(stream);
    if (relay === undefined) return;
    if (frame.type === 'config' || frame.type === 'metadata' || frame.type === 'end-of-track') return;
    if (frame.type === 'message') return;
    try {
      relay.relayed.take(frame);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#letGo(relay, error.message);
      return;
    }
    if (relay.relayed.isOver) this.#forget(relay);
  }

  /** Tells of viewers, and lets go of what nobody watches. Called about once a second. */
  sweep(now: Millis): void {
    const streams: [number, number][] = [];
    for (const relay of [...this.#byPath.values()]) {
      const stream = this.#router().find(relay.path);
      if (relay.stream === undefined) {
        if (stream === undefined) this.#byPath.delete(relay.path);
        continue;
      }
      const since = stream?.idleSince;
      const isOver = since !== undefined && now - since > UNWATCHED_MS && !this.#stays(relay.path);
      if (isOver && !this.#router().isWanted(relay.path)) {
        this.#letGo(relay, 'nobody watches');
        continue;
      }
      const viewers = stream?.viewers ?? 0;
      if (viewers !== relay.viewers) streams.push([relay.stream, viewers]);
      relay.viewers = viewers;
    }
    if (streams.length > 0) this.#send({ type: 'viewers', streams });
  }

  #begin(path: StreamPath, stream: number, session: Session): void {
    this.#asked.delete(path);
    const known = this.#byPath.get(path);
    const relay: Relay =
      known === undefined || known.relayed.isOver
        ? { path, relayed: this.#relayed(session, () => relay), stream, viewers: 0 }
        : known;
    relay.stream = stream;
    this.#byPath.set(path, relay);
    this.#byStream.set(stream, relay);
  }

  #relayed(session: Session, relay: () => Relay): RelayedStream {
    return new RelayedStream({
      router: this.#router(),
      session,
      control: {
        cut: () => this.#forget(relay()),
        requestKeyframe: () => {
          const { stream } = relay();
          if (stream !== undefined) this.#send({ type: 'keyframe', stream });
        },
      },
    });
  }

  /** The line could not carry it; who watches stays for the grace window. */
  #lost(stream: number, reason: string): void {
    const relay = this.#byStream.get(stream);
    if (relay === undefined) return;
    this.#byStream.delete(stream);
    relay.stream = undefined;
    relay.viewers = 0;
    const isWanted = this.#router().isWanted(relay.path);
    relay.relayed.lost(reason);
    if (isWanted) this.fetch(relay.path, undefined);
  }

  #letGo(relay: Relay, reason: string): void {
    if (relay.stream !== undefined) this.#send({ type: 'unwatch', stream: relay.stream });
    relay.relayed.end(reason);
    this.#forget(relay);
  }

  #forget(relay: Relay): void {
    if (relay.stream !== undefined) this.#byStream.delete(relay.stream);
    if (this.#byPath.get(relay.path) === relay) this.#byPath.delete(relay.path);
    this.#fetchable.delete(relay.path);
    relay.stream = undefined;
  }

  #isWaitedFor(path: StreamPath): boolean {
    return this.#router().find(path) === undefined && this.#router().isWanted(path);
  }
}
