import { randomBytes } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { RtmpError } from '../errors.js';
import { OUT_CHUNK_SIZE, type RtmpClientEvent, RtmpClientSession } from '../session/client-session.js';
import type { RtmpMediaMessage } from '../wire/message.js';
import { parseRtmpUrl } from './url.js';

export interface RtmpClientOptions {
  /** For each step: connecting, and being accepted. */
  readonly timeoutMs?: number;
  /** For `rtmps://`. */
  readonly tls?: ConnectionOptions;
  /** Called once, when the connection is over: cleanly (`undefined`) or not. */
  readonly onClose?: (error: RtmpError | undefined) => void;
  /** The server asks to connect anew, elsewhere if it names a URL. Nothing is done about it here. */
  readonly onReconnectRequest?: (tcUrl: string | undefined, description: string | undefined) => void;
  /** Drops the connection, at whatever step. */
  readonly signal?: AbortSignal;
}

/** The line of a publish, for bytes that are encoded once for many connections. */
export interface RtmpPublishLine {
  readonly socket: Socket;
  /** Their chunks have to be of this size… */
  readonly chunkSize: number;
  /** …and on this message stream. */
  readonly messageStreamId: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** How long `close` waits for the server to take what is still queued. */
const LINGER_MS = 2000;

type Step = 'ready' | 'publishing' | 'playing';

/** An RTMP connection to a server, to publish a stream or to play one. */
export class RtmpClient {
  readonly #socket: Socket;
  readonly #session: RtmpClientSession;
  readonly #options: RtmpClientOptions;
  readonly #closed: Promise<void>;
  #waiting: { step: Step; resolve: () => void; reject: (error: Error) => void } | undefined;
  #onMessage: ((message: RtmpMediaMessage) => void) | undefined;
  #onEnd: ((reason: string) => void) | undefined;
  #publishing = false;
  #error: RtmpError | undefined;
  #ended = false;

  private constructor(socket: Socket, session: RtmpClientSession, options: RtmpClientOptions) {
    this.#socket = socket;
    this.#session = session;
    this.#options = options;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', (error) => this.#fail(new RtmpError('closed', error.message, { cause: error })));
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#finish();
        resolve();
      });
    });
  }

  /**
   * Connects and gets ready to publish or play.
   *
   * @param url `rtmp://` or `rtmps://host/app/stream?query`
   * @throws {RtmpError} where the server can't be reached, doesn't answer in time, or refuses
   */
  static async connect(url: string, options: RtmpClientOptions = {}): Promise<RtmpClient> {
    const target = parseRtmpUrl(url);
    const { host, port, encrypted } = target;
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = encrypted ? connectTls({ host, port, ...servername, ...options.tls }) : connect({ host, port });
    const session = new RtmpClientSession(target, randomBytes);
    const client = new RtmpClient(socket, session, options);
    const { signal } = options;
    if (signal !== undefined) {
      const drop = () => client.#fail(new RtmpError('closed', 'the connection was given up'));
      signal.addEventListener('abort', drop);
      socket.once('close', () => signal.removeEventListener('abort', drop));
      if (signal.aborted) drop();
    }
    socket.write(session.start());
    await client.#reach('ready');
    return client;
  }

  /** The server's address; before the connection is there, and after it, unknown. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get bytesReceived(): number {
    return this.#socket.bytesRead;
  }

  /** After `publish`: where media goes that is encoded elsewhere. */
  get line(): RtmpPublishLine {
    return { socket: this.#socket, chunkSize: OUT_CHUNK_SIZE, messageStreamId: this.#session.streamId };
  }

  /** Bytes written that the network hasn't taken yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** @throws {RtmpError} `refused` with the server's reason */
  async publish(): Promise<void> {
    for (const command of this.#session.publish()) this.#socket.write(command);
    await this.#reach('publishing');
    this.#publishing = true;
  }

  /**
   * @param onMessage an error that it throws ends the connection
   * @param options.onEnd called once, when the server ended the stream or the connection is over
   * @throws {RtmpError} `refused` with the server's reason
   */
  async play(
    onMessage: (message: RtmpMediaMessage) => void,
    options: { readonly onEnd?: (reason: string) => void } = {},
  ): Promise<void> {
    this.#onMessage = onMessage;
    this.#onEnd = options.onEnd;
    for (const command of this.#session.play()) this.#socket.write(command);
    await this.#reach('playing');
  }

  /** @returns false when the network is behind, or gone: wait for `drained` before sending more */
  send(message: RtmpMediaMessage): boolean {
    if (!this.#socket.writable) return false;
    return this.#socket.write(this.#session.encode(message));
  }

  /** Resolves when the network has taken what made `send` return false, or the connection is over. */
  drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  /** Ends the publish politely and the connection with it. */
  async close(): Promise<void> {
    if (!this.#socket.destroyed) {
      if (this.#publishing) for (const command of this.#session.unpublish()) this.#socket.write(command);
      this.#socket.end(() => this.#socket.destroy());
      const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
      this.#socket.once('close', () => clearTimeout(linger));
    }
    await this.#closed;
  }

  /** Drops the connection as a broken network would. */
  destroy(): void {
    this.#socket.destroy();
  }

  #reach(step: Step): Promise<void> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    return new Promise<void>((resolve, reject) => {
      if (this.#ended) {
        reject(this.#error ?? new RtmpError('closed', 'the connection is closed'));
        return;
      }
      const timer = setTimeout(
        () => this.#fail(new RtmpError('time-out', `the server did not answer in ${timeoutMs} ms`)),
        timeoutMs,
      );
      const settle = (then: () => void) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        then();
      };
      this.#waiting = {
        step,
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
    });
  }

  #receive(bytes: Buffer): void {
    try {
      const { outbound, events } = this.#session.receive(bytes);
      for (const answer of outbound) this.#socket.write(answer);
      for (const event of events) this.#handle(event);
    } catch (error) {
      this.#fail(error instanceof RtmpError ? error : new RtmpError('malformed', String(error), { cause: error }));
    }
  }

  #handle(event: RtmpClientEvent): void {
    switch (event.type) {
      case 'media':
        this.#onMessage?.(event.message);
        break;
      case 'reconnect':
        this.#options.onReconnectRequest?.(event.tcUrl, event.description);
        break;
      case 'ended':
        this.#tellEnd(event.reason);
        this.#socket.end();
        break;
      default:
        if (this.#waiting?.step === event.type) this.#waiting.resolve();
    }
  }

  #fail(error: RtmpError): void {
    this.#error ??= error;
    this.#socket.destroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting?.reject(this.#error ?? new RtmpError('closed', 'the server closed the connection'));
    this.#tellEnd(this.#error?.message ?? 'the connection was closed');
    this.#options.onClose?.(this.#error);
  }

  #tellEnd(reason: string): void {
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.(reason);
  }
}
