import { connect, type Socket } from 'node:net';
import { monotonicMs } from '../clock.js';
import type { Histogram } from '../histogram.js';
import { FrameMeter } from './frame-meter.js';
import { HttpFlvWire } from './http-flv-wire.js';
import { RtmpPlayWire } from './rtmp-play-wire.js';
import type { Shared } from './shared.js';
import type { FrameSink } from './video-head.js';
import type { ViewerWire } from './viewer-wire.js';

/** What the viewers of a worker have in common. */
export interface ViewerContext {
  readonly url: string;
  readonly shared: Shared;
  readonly latencies: Histogram;
  /** All sockets of a worker read into this one buffer: what is read is walked over at once. */
  readonly readBuffer: Buffer;
  /** This worker's place in `shared.received`. */
  readonly index: number;
}

/** One connected viewer. */
export class Viewer {
  readonly meter: FrameMeter;
  readonly startedAt = monotonicMs();
  /** Why the connection is over, if it is. */
  failure: string | undefined;
  readonly #context: ViewerContext;
  readonly #wire: ViewerWire;
  readonly #socket: Socket;

  constructor(context: ViewerContext) {
    this.#context = context;
    this.meter = new FrameMeter(context.shared, context.latencies);
    this.#wire = openWire(context.url, this.meter, (bytes) => this.#socket.write(bytes));
    const { host, port } = this.#wire;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      onread: { buffer: context.readBuffer, callback: (length) => this.#read(length) },
    });
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#fail('the server closed the connection'));
    this.#socket.write(this.#wire.start());
  }

  get accepted(): boolean {
    return this.#wire.accepted;
  }

  close(): void {
    this.failure ??= 'closed by the viewer';
    this.#socket.destroy();
  }

  #read(length: number): boolean {
    const { shared, index, readBuffer } = this.#context;
    shared.received[index] = (shared.received[index] ?? 0) + length;
    try {
      this.#wire.feed(readBuffer, length);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return false;
    }
    return true;
  }

  #fail(reason: string): void {
    this.failure ??= reason;
    this.#socket.destroy();
  }
}

/**
 * @param url `http://host:port/app/name.flv` or `rtmp://host:port/app/name`
 * @param send for answers that the protocol asks for
 */
function openWire(url: string, sink: FrameSink, send: (bytes: Buffer) => void): ViewerWire {
  return url.startsWith('rtmp:') ? new RtmpPlayWire(url, sink, send) : new HttpFlvWire(url, sink);
}
