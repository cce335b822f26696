import { type OutputKind, Refusal, type Session, type Stream, type StreamPath, type StreamRouter } from '@sluice/core';
import type { RelayLink, RelayOutput } from '../relay/relay-output.js';
import type { Line } from './line.js';
import { type FromWorker, refusalToWire, type ToWorker } from './messages.js';

export interface RelayServiceOptions {
  readonly router: StreamRouter;
  /** The same for all workers, so that each stream is packed once. */
  readonly kind: OutputKind<RelayOutput>;
  readonly line: Pick<Line<ToWorker, FromWorker>, 'send' | 'write' | 'waiting' | 'onDrain'>;
  /** Who publishes a path, or did so last. */
  readonly publisherOf: (path: StreamPath) => Session | undefined;
  /** A session that the worker serves. */
  readonly viewer: (id: string) => Session | undefined;
  /** Called before a stream is given. */
  readonly onRelay: (path: StreamPath) => void;
}

interface Relay {
  readonly source: Stream;
  link: RelayLink | undefined;
  viewers: number;
}

/** So much may wait on the line before streams are told to stop. */
const MOST_WAITING = 8 * 1024 * 1024;

/** Gives a worker the streams that are watched there, as long as they are. */
export class RelayService {
  readonly #options: RelayServiceOptions;
  /** Streams that the worker waits for. */
  readonly #wanted = new Map<StreamPath, AbortController>();
  readonly #relays = new Map<number, Relay>();
  #closed = false;

  constructor(options: RelayServiceOptions) {
    this.#options = options;
    options.line.onDrain(() => {
      for (const { link } of [...this.#relays.values()]) link?.resume();
    });
  }

  take(message: FromWorker & { type: 'watch' | 'unwatch' | 'viewers' | 'keyframe' }): void {
    switch (message.type) {
      case 'watch':
        void this.#watch(message.path, message.viewer);
        break;
      case 'unwatch':
        this.#relays.get(message.stream)?.link?.detach();
        this.#relays.delete(message.stream);
        break;
      case 'viewers':
        for (const [stream, viewers] of message.streams) {
          const relay = this.#relays.get(stream);
          if (relay !== undefined) relay.viewers = viewers;
        }
        break;
      case 'keyframe':
        this.#relays.get(message.stream)?.source.requestKeyframe();
        break;
    }
  }

  /** The worker is gone. */
  close(): void {
    this.#closed = true;
    for (const abort of this.#wanted.values()) abort.abort();
    for (const { link } of this.#relays.values()) link?.detach();
    this.#relays.clear();
  }

  /** Never rejects: a worker is told why a stream can't be had. */
  async #watch(path: StreamPath, viewer: string | undefined): Promise<void> {
    if (this.#wanted.has(path)) return;
    const { router, line, publisherOf } = this.#options;
    const abort = new AbortController();
    this.#wanted.set(path, abort);
    try {
      const session = viewer === undefined ? undefined : this.#options.viewer(viewer);
      const stream = await router.waitFor(path, abort.signal, { viewer: session });
      const publisher = publisherOf(path);
      if (publisher === undefined) throw new Refusal('not-live', `nobody publishes ${path}`);
      if (!this.#closed) this.#relay(stream, publisher);
    } catch (error) {
      line.send({ type: 'no-relay', path, refusal: refusalToWire(error) });
    } finally {
      this.#wanted.delete(path);
    }
  }

  #relay(source: Stream, session: Session): void {
    const { line, kind, onRelay } = this.#options;
    const output = source.output(kind);
    const { stream } = output;
    if (this.#relays.has(stream)) return;
    const relay: Relay = { source, link: undefined, viewers: 0 };
    this.#relays.set(stream, relay);
    onRelay(source.path);
    line.send({ type: 'relay', path: source.path, stream, session });
    relay.link = output.attach({
      write: ({ pieces }) => {
        line.write(pieces);
        return line.waiting < MOST_WAITING;
      },
      ended: (reason) => {
        this.#relays.delete(stream);
        line.send({ type: 'relay-lost', stream, reason });
      },
      get viewers() {
        return relay.viewers;
      },
    });
  }
}
