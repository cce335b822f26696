import { type AmfObject, type AmfValue, isAmfObject } from '@sluice/media';
import { RtmpError } from '../errors.js';
import { splitAggregate } from '../wire/aggregate.js';
import { ChunkReader, DEFAULT_CHUNK_LIMITS } from '../wire/chunk-reader.js';
import { encodeMessage } from '../wire/chunk-writer.js';
import { dataAsAmf0, encodeCommand, type RtmpCommand, readCommand } from '../wire/command.js';
import {
  setBufferLength,
  setChunkSize,
  USER_CONTROL,
  userControl,
  windowAcknowledgementSize,
} from '../wire/control.js';
import { beginHandshake, HANDSHAKE_SIZE, type Random } from '../wire/handshake.js';
import { MESSAGE_TYPE, type RtmpMediaMessage, type RtmpMessage } from '../wire/message.js';
import { Acknowledger } from './acknowledger.js';
import { enhancedCapabilities } from './connect-info.js';

/** What happened in a client session, in order. */
export type RtmpClientEvent =
  /** The server accepted `connect` and gave a message stream. */
  | { readonly type: 'ready' }
  | { readonly type: 'publishing' }
  | { readonly type: 'playing' }
  | { readonly type: 'media'; readonly message: RtmpMediaMessage }
  /** The server asks to connect anew, elsewhere if a URL is given. */
  | { readonly type: 'reconnect'; readonly tcUrl?: string; readonly description?: string }
  /** The server ended the stream. Told once. */
  | { readonly type: 'ended'; readonly reason: string };

export interface RtmpClientStep {
  readonly outbound: Buffer[];
  readonly events: RtmpClientEvent[];
}

export interface RtmpClientTarget {
  readonly app: string;
  readonly stream: string;
  readonly tcUrl: string;
}

const TRANSACTION = { connect: 1, releaseStream: 2, fcPublish: 3, createStream: 4, publish: 5, play: 6 } as const;
/** Calls whose failure ends everything. Servers that don't know releaseStream or FCPublish may say so. */
const ESSENTIAL: ReadonlySet<number> = new Set([
  TRANSACTION.connect,
  TRANSACTION.createStream,
  TRANSACTION.publish,
  TRANSACTION.play,
]);
/** Of what a client sends, from `connect` on. */
export const OUT_CHUNK_SIZE = 65_536;
const BUFFER_MS = 1000;
const CHUNK_STREAMS: Readonly<Record<8 | 9 | 18, number>> = { 8: 4, 18: 5, 9: 6 };
/** A live stream that may also not have begun, RTMP §7.2.2.1. */
const PLAY_LIVE = -1000;
/** How servers say that a stream is over. */
const ENDS: ReadonlySet<string> = new Set([
  'NetStream.Play.UnpublishNotify',
  'NetStream.Play.Stop',
  'NetStream.Play.Complete',
  'NetStream.Unpublish.Success',
]);
const CLIENT_VERSION = 'FMLE/3.0 (compatible; Sluice)';

/** The client's side of one RTMP connection: bytes in; bytes and events out. */
export class RtmpClientSession {
  readonly #target: RtmpClientTarget;
  readonly #random: Random;
  readonly #reader = new ChunkReader({ ...DEFAULT_CHUNK_LIMITS });
  readonly #acknowledger = new Acknowledger();
  #handshake: Buffer | undefined = Buffer.alloc(0);
  #streamId = 0;
  #hasEnded = false;
  #outbound: Buffer[] = [];
  #events: RtmpClientEvent[] = [];

  constructor(target: RtmpClientTarget, random: Random) {
    this.#target = target;
    this.#random = random;
  }

  /** After `ready`: the message stream that media is sent on. */
  get streamId(): number {
    return this.#streamId;
  }

  /** The first bytes to be sent. */
  start(): Buffer {
    return beginHandshake(this.#random);
  }

  /**
   * Takes what the server sent; `bytes` isn't kept.
   *
   * @throws {RtmpError} or MediaError where the bytes can't be read or the server says no
   */
  receive(bytes: Buffer): RtmpClientStep {
    const rest = this.#readHandshake(bytes);
    if (rest !== undefined && rest.length > 0) {
      const ack = this.#acknowledger.count(rest.length);
      if (ack !== undefined) this.#outbound.push(ack);
      for (const message of this.#reader.push(rest)) this.#handle(message);
    }
    const step = { outbound: this.#outbound, events: this.#events };
    this.#outbound = [];
    this.#events = [];
    return step;
  }

  /** After `ready`. */
  publish(): Buffer[] {
    const { stream } = this.#target;
    return [
      this.#command(0, 'releaseStream', TRANSACTION.releaseStream, null, stream),
      this.#command(0, 'FCPublish', TRANSACTION.fcPublish, null, stream),
      this.#command(this.#streamId, 'publish', TRANSACTION.publish, null, stream, 'live'),
    ];
  }

  /** After `ready`. */
  play(): Buffer[] {
    return [
      this.#command(this.#streamId, 'play', TRANSACTION.play, null, this.#target.stream, PLAY_LIVE),
      setBufferLength(this.#streamId, BUFFER_MS),
    ];
  }

  /** A message of the publisher's, as bytes. */
  encode({ type, timestamp, payload }: RtmpMediaMessage): Buffer {
    const header = { chunkStreamId: CHUNK_STREAMS[type], type, timestamp, messageStreamId: this.#streamId };
    return encodeMessage(header, OUT_CHUNK_SIZE, payload);
  }

  /** The polite end of a publish. */
  unpublish(): Buffer[] {
    const { stream } = this.#target;
    return [
      this.#command(0, 'FCUnpublish', 0, null, stream),
      this.#command(0, 'deleteStream', 0, null, this.#streamId),
    ];
  }

  #command(messageStreamId: number, ...values: readonly AmfValue[]): Buffer {
    return encodeCommand(messageStreamId, OUT_CHUNK_SIZE, ...values);
  }

  #readHandshake(bytes: Buffer): Buffer | undefined {
    if (this.#handshake === undefined) return bytes;
    const input = Buffer.concat([this.#handshake, bytes]);
    if (input.length > 0 && input[0] !== 3) throw new RtmpError('handshake', `the server speaks version ${input[0]}`);
    if (input.length < 1 + 2 * HANDSHAKE_SIZE) {
      this.#handshake = input;
      return undefined;
    }
    this.#handshake = undefined;
    this.#outbound.push(input.subarray(1, 1 + HANDSHAKE_SIZE), setChunkSize(OUT_CHUNK_SIZE), this.#connect());
    return input.subarray(1 + 2 * HANDSHAKE_SIZE);
  }

  #connect(): Buffer {
    const { app, tcUrl } = this.#target;
    const object: AmfObject = {
      app,
      type: 'nonprivate',
      flashVer: CLIENT_VERSION,
      tcUrl,
      ...enhancedCapabilities(),
    };
    return encodeCommand(0, OUT_CHUNK_SIZE, 'connect', TRANSACTION.connect, object);
  }

  #handle(message: RtmpMessage): void {
    const { type, timestamp, payload } = message;
    switch (type) {
      case MESSAGE_TYPE.windowAcknowledgementSize:
        if (payload.length >= 4) this.#acknowledger.setWindow(payload.readUInt32BE());
        break;
      case MESSAGE_TYPE.setPeerBandwidth:
        // §5.4.5: the window that the server asks for is taken.
        if (payload.length >= 4) this.#outbound.push(windowAcknowledgementSize(payload.readUInt32BE()));
        break;
      case MESSAGE_TYPE.userControl:
        this.#handleUserControl(payload);
        break;
      case MESSAGE_TYPE.audio:
      case MESSAGE_TYPE.video:
        if (payload.length > 0) this.#events.push({ type: 'media', message: { type, timestamp, payload } });
        break;
      case MESSAGE_TYPE.dataAmf0:
      case MESSAGE_TYPE.dataAmf3:
        this.#events.push({
          type: 'media',
          message: { type: MESSAGE_TYPE.dataAmf0, timestamp, payload: dataAsAmf0(message) },
        });
        break;
      case MESSAGE_TYPE.aggregate:
        for (const inner of splitAggregate(message)) this.#events.push({ type: 'media', message: inner });
        break;
      case MESSAGE_TYPE.commandAmf0:
      case MESSAGE_TYPE.commandAmf3:
        this.#handleCommand(readCommand(message));
        break;
    }
  }

  #handleUserControl(payload: Buffer): void {
    if (payload.length < 6) return;
    const event = payload.readUInt16BE();
    if (event === USER_CONTROL.pingRequest) {
      this.#outbound.push(userControl(USER_CONTROL.pingResponse, payload.readUInt32BE(2)));
    }
    if (event === USER_CONTROL.streamEof) this.#end('end of stream');
  }

  #handleCommand(command: RtmpCommand): void {
    const { name, transactionId, args } = command;
    if (name === '_error' && ESSENTIAL.has(transactionId)) throw refusal(args);
    if (name === '_result' && transactionId === TRANSACTION.connect) {
      this.#outbound.push(this.#command(0, 'createStream', TRANSACTION.createStream, null));
    } else if (name === '_result' && transactionId === TRANSACTION.createStream) {
      const [id] = args;
      if (typeof id !== 'number') throw new RtmpError('malformed', 'createStream was answered without a stream id');
      this.#streamId = id;
      this.#events.push({ type: 'ready' });
    } else if (name === 'onStatus') {
      this.#handleStatus(args);
    }
  }

  /** Servers say it in several ways at once. */
  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events.push({ type: 'ended', reason });
  }

  #handleStatus(args: RtmpCommand['args']): void {
    const [info] = args;
    if (info === undefined || !isAmfObject(info)) return;
    const code = typeof info.code === 'string' ? info.code : '';
    if (code === 'NetStream.Publish.Start') this.#events.push({ type: 'publishing' });
    else if (code === 'NetStream.Play.Start') this.#events.push({ type: 'playing' });
    else if (code === 'NetConnection.Connect.ReconnectRequest') {
      const { tcUrl, description } = info;
      this.#events.push({
        type: 'reconnect',
        ...(typeof tcUrl === 'string' ? { tcUrl } : {}),
        ...(typeof description === 'string' ? { description } : {}),
      });
    } else if (ENDS.has(code)) {
      this.#end(describe(args));
    } else if (info.level === 'error') {
      throw refusal(args);
    }
  }
}

function infoOf(args: RtmpCommand['args']): AmfObject | undefined {
  return args.find((value) => value !== undefined && isAmfObject(value)) as AmfObject | undefined;
}

function refusal(args: RtmpCommand['args']): RtmpError {
  const { code, ex } = infoOf(args) ?? {};
  const status = typeof code === 'string' ? code : undefined;
  const url = ex !== undefined && isAmfObject(ex) ? ex.redirect2 : undefined;
  const redirect = typeof url === 'string' ? url : undefined;
  return new RtmpError('refused', `the server refused: ${describe(args)}`, { status, redirect });
}

function describe(args: RtmpCommand['args']): string {
  const info = infoOf(args);
  return [info?.code, info?.description].filter((part) => typeof part === 'string').join(': ') || 'without a reason';
}
