import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { MediaError } from '@sluice/media';
import { RtmpError, RtmpRefusal } from '../errors.js';
import type { RtmpServerEvent } from '../session/events.js';
import { MESSAGE_STREAM_ID, RtmpServerSession } from '../session/server-session.js';
import { DEFAULT_CHUNK_LIMITS } from '../wire/chunk-reader.js';
import type { RtmpMediaMessage } from '../wire/message.js';
import type {
  RtmpConnectionControl,
  RtmpConnectionInfo,
  RtmpHandlers,
  RtmpLog,
  RtmpPlayer,
  RtmpPublisher,
  RtmpStreamRequest,
} from './handlers.js';
import { KEEP_ALIVE_MS, LINGER_MS, MAX_UNREAD_ANSWERS, type RtmpLimits } from './limits.js';

/** What the connection is doing for its client. */
type Activity =
  | { readonly name: 'none' }
  /** A handler is being asked; media that came with the request waits. */
  | { readonly name: 'asking'; readonly early: RtmpMediaMessage[]; readonly abort: AbortController }
  | Granted;

/** What a handler agreed to. */
type Granted =
  | { readonly name: 'publishing'; readonly publisher: RtmpPublisher }
  | { readonly name: 'playing'; readonly player: RtmpPlayer };

/** Gives a connection that asks to play to another process, with all that its client has sent. @returns whether it took it */
export type HandOver = (socket: Socket, received: Buffer) => boolean;

/** Until they ask to play, clients send a few KB; one that sends more than this stays. */
const MOST_EARLY_BYTES = 64 * 1024;

type RequestEvent = RtmpServerEvent & { type: 'publish' | 'play' };

const NONE: Activity = { name: 'none' };

/** One client's socket with its session. Nothing that happens in here gets out as an exception. */
export class RtmpConnection implements RtmpConnectionControl {
  readonly id = randomBytes(6).toString('hex');
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #encrypted: boolean;
  readonly #session: RtmpServerSession;
  readonly #handlers: RtmpHandlers;
  readonly #limits: RtmpLimits;
  readonly #log: RtmpLog;
  readonly #chunkSize: number;
  #activity: Activity = NONE;
  #deadline: NodeJS.Timeout | undefined;
  readonly #handOver: HandOver | undefined;
  /** What the client has sent so far, as long as the connection may be handed over. */
  #early: Buffer[] | undefined;
  #earlyBytes = 0;
  /** Bytes of answers that the network hasn't taken yet. */
  #unreadAnswers = 0;
  #ended = false;

  constructor(options: {
    socket: Socket;
    encrypted: boolean;
    handlers: RtmpHandlers;
    limits: RtmpLimits;
    chunkSize: number;
    log: RtmpLog;
    handOver?: HandOver | undefined;
  }) {
    const { socket, limits } = options;
    this.#handOver = options.handOver;
    if (options.handOver !== undefined) this.#early = [];
    this.#socket = socket;
    this.#encrypted = options.encrypted;
    this.#handlers = options.handlers;
    this.#limits = limits;
    this.#log = options.log;
    this.#chunkSize = options.chunkSize;
    this.remoteAddress = plainAddress(socket.remoteAddress ?? 'unknown');
    this.#session = new RtmpServerSession({
      random: randomBytes,
      limits: { ...DEFAULT_CHUNK_LIMITS, maxMediaBytes: limits.maxMessageBytes },
      chunkSize: options.chunkSize,
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('end', () => this.#finish('closed by the client'));
    socket.on('error', (error) => this.#finish(`connection lost: ${error.message}`));
    socket.on('close', () => this.#finish('closed by the client'));
    this.#expectRequest();
  }

  end(reason: string): void {
    this.#finish(reason);
  }

  /** Goes on where another process stopped: with what the client has sent, all of which was answered there. */
  takeOver(received: Buffer): void {
    this.#guarded(() => {
      for (const event of this.#session.receive(received).events) this.#handle(event);
    });
  }

  reconnect(description: string, tcUrl?: string): void {
    if (!this.#ended && this.#session.reconnects) this.#send([this.#session.reconnectRequest(description, tcUrl)]);
  }

  bytesReceived(): number {
    return this.#socket.bytesRead;
  }

  bytesSent(): number {
    return this.#socket.bytesWritten;
  }

  #receive(bytes: Buffer): void {
    if (this.#ended) return;
    this.#guarded(() => {
      if (this.#early !== undefined) this.#remember(bytes);
      const { outbound, events } = this.#session.receive(bytes);
      this.#send(outbound);
      if (this.#unreadAnswers > MAX_UNREAD_ANSWERS) {
        throw new RtmpError('too-large', `the client left ${this.#unreadAnswers} bytes of answers unread`);
      }
      if (this.#isHandedOver(events)) return;
      for (const event of events) this.#handle(event);
    });
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(error);
    }
  }

  #remember(bytes: Buffer): void {
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > MOST_EARLY_BYTES) this.#early = undefined;
    else this.#early?.push(Buffer.from(bytes));
  }

  /** The first that a client asks for decides whose it is. */
  #isHandedOver(events: readonly RtmpServerEvent[]): boolean {
    const request = events.find(({ type }) => type === 'publish' || type === 'play');
    const early = this.#early;
    if (request === undefined || early === undefined) return false;
    this.#early = undefined;
    // Answers that are still on their way would be lost.
    if (request.type !== 'play' || this.#socket.writableLength > 0) return false;
    if (!this.#handOver?.(this.#socket, Buffer.concat(early))) return false;
    this.#ended = true;
    clearTimeout(this.#deadline);
    return true;
  }

  #handle(event: RtmpServerEvent): void {
    if (this.#ended) return;
    const activity = this.#activity;
    switch (event.type) {
      case 'publish':
      case 'play':
        void this.#ask(event);
        break;
      case 'media':
        if (activity.name === 'asking') activity.early.push(event.message);
        if (activity.name !== 'publishing') break;
        this.#deadline?.refresh();
        activity.publisher.message(event.message);
        break;
      case 'receive':
        if (activity.name === 'playing') activity.player.receive?.(event.audio, event.video);
        break;
      case 'refused':
        this.#finish(`refused: ${event.reason}`, 'info');
        break;
      case 'stopped':
        this.#stopActivity(event.reason);
        this.#expectRequest();
        break;
    }
  }

  /** Asks the handler, and goes on with its answer. Never rejects. */
  async #ask(event: RequestEvent): Promise<void> {
    clearTimeout(this.#deadline);
    const abort = new AbortController();
    const asking = { name: 'asking', early: [] as RtmpMediaMessage[], abort } as const;
    this.#activity = asking;
    // While it isn't known whether the client may publish, what it sends stays in the kernel.
    if (event.type === 'publish') this.#socket.pause();
    let granted: Granted;
    try {
      granted = await this.#grant(event, abort.signal);
    } catch (error) {
      if (this.#activity === asking) this.#refuse(error, event);
      return;
    } finally {
      if (this.#activity === asking || this.#activity.name !== 'asking') this.#socket.resume();
    }
    if (this.#activity === asking) this.#begin(granted, asking.early);
    else this.#tellClosed(granted, 'the client left');
  }

  async #grant(event: RequestEvent, signal: AbortSignal): Promise<Granted> {
    const request = this.#request(event, signal);
    return event.type === 'publish'
      ? { name: 'publishing', publisher: await this.#handlers.publish(request, this) }
      : { name: 'playing', player: await this.#handlers.play(request, this) };
  }

  #request(event: RequestEvent, signal: AbortSignal): RtmpStreamRequest {
    const connection = this.#info();
    const { app } = connection;
    return { connection, app, stream: event.stream, query: new URLSearchParams(event.query), signal };
  }

  #info(): RtmpConnectionInfo {
    const { app = '', tcUrl = '', flashVer, pageUrl, swfUrl } = this.#session.info ?? {};
    return {
      id: this.id,
      remoteAddress: this.remoteAddress,
      remotePort: this.#socket.remotePort ?? 0,
      encrypted: this.#encrypted,
      app,
      tcUrl,
      ...(flashVer === undefined ? {} : { flashVer }),
      ...(pageUrl === undefined ? {} : { pageUrl }),
      ...(swfUrl === undefined ? {} : { swfUrl }),
    };
  }

  #begin(granted: Granted, early: readonly RtmpMediaMessage[]): void {
    this.#activity = granted;
    try {
      if (granted.name === 'publishing') this.#publish(granted.publisher, early);
      else this.#play(granted.player);
    } catch (error) {
      this.#fail(error);
    }
  }

  #publish(publisher: RtmpPublisher, early: readonly RtmpMediaMessage[]): void {
    this.#send(this.#session.acceptPublish());
    const { publisherIdleMs } = this.#limits;
    this.#deadline = setTimeout(
      () => this.#fail(new RtmpError('time-out', `the publisher sent nothing for ${publisherIdleMs / 1000} s`)),
      publisherIdleMs,
    );
    for (const message of early) if (!this.#ended) publisher.message(message);
  }

  #play(player: RtmpPlayer): void {
    this.#send(this.#session.acceptPlay());
    player.start({
      socket: this.#socket,
      chunkSize: this.#chunkSize,
      messageStreamId: MESSAGE_STREAM_ID,
      end: (reason) => this.#finish(reason),
    });
    const { audio, video } = this.#session.reception;
    if (!this.#ended && !(audio && video)) player.receive?.(audio, video);
  }

  #refuse(error: unknown, { stream, query }: RequestEvent): void {
    if (!(error instanceof RtmpRefusal)) {
      this.#fail(error);
      return;
    }
    const { redirect, message } = error;
    if (redirect === undefined) this.#send(this.#session.refuse(error));
    else {
      const tcUrl = `${redirect}/${this.#session.info?.app ?? ''}`;
      const url = `${tcUrl}/${stream}${query === '' ? '' : `?${query}`}`;
      this.#send(this.#session.redirect(message, { tcUrl, url }));
    }
    this.#finish(`refused: ${error.message}`, 'info');
  }

  #send(messages: readonly Buffer[]): void {
    if (messages.length === 0 || !this.#socket.writable) return;
    const bytes = Buffer.concat(messages);
    this.#unreadAnswers += bytes.length;
    this.#socket.write(bytes, () => {
      this.#unreadAnswers -= bytes.length;
    });
  }

  /** The client has so long to say what it wants. */
  #expectRequest(): void {
    clearTimeout(this.#deadline);
    const { handshakeMs } = this.#limits;
    this.#deadline = setTimeout(
      () => this.#fail(new RtmpError('time-out', `nothing was asked for in ${handshakeMs / 1000} s`)),
      handshakeMs,
    );
  }

  #stopActivity(reason: string): void {
    const activity = this.#activity;
    this.#activity = NONE;
    if (activity.name === 'asking') activity.abort.abort();
    else if (activity.name !== 'none') this.#tellClosed(activity, reason);
  }

  /** The owner's last words are its own affair: what it throws ends nothing else. */
  #tellClosed(granted: Granted, reason: string): void {
    try {
      if (granted.name === 'publishing') granted.publisher.closed(reason);
      else granted.player.closed(reason);
    } catch (error) {
      const fields = { connection: this.id, ip: this.remoteAddress, detail: String(error) };
      this.#log.warn(fields, 'an RTMP handler failed while its connection was closed');
    }
  }

  /** Ends the connection for a fault: at once, and with a warning. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    const code = error instanceof RtmpError || error instanceof MediaError ? error.code : 'internal';
    const detail = error instanceof Error ? error.message : String(error);
    const fields = { connection: this.id, ip: this.remoteAddress, stage: this.#session.stage, reason: code, detail };
    this.#log.warn(fields, 'RTMP connection ended');
    this.#close(detail);
    this.#socket.destroy();
  }

  /** Ends the connection in peace. */
  #finish(reason: string, level: 'debug' | 'info' = 'debug'): void {
    if (this.#ended) return;
    const fields = { connection: this.id, ip: this.remoteAddress, stage: this.#session.stage, reason };
    this.#log[level](fields, 'RTMP connection ended');
    this.#send(this.#session.finish(reason));
    this.#close(reason);
    if (this.#socket.destroyed) return;
    this.#socket.end();
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(linger));
  }

  #close(reason: string): void {
    this.#ended = true;
    clearTimeout(this.#deadline);
    this.#stopActivity(reason);
  }
}

/** IPv4 addresses without the IPv6 form that a dual-stack socket gives them. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
