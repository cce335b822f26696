import { RtmpError, type RtmpRefusal, type RtmpRefusalCode } from '../errors.js';
import { splitAggregate } from '../wire/aggregate.js';
import { ChunkReader, type ChunkReaderLimits } from '../wire/chunk-reader.js';
import { dataAsAmf0, encodeCommand, encodeData, encodeStatus, type RtmpCommand, readCommand } from '../wire/command.js';
import {
  setChunkSize,
  setPeerBandwidth,
  USER_CONTROL,
  userControl,
  windowAcknowledgementSize,
} from '../wire/control.js';
import type { Random } from '../wire/handshake.js';
import { MESSAGE_TYPE, type RtmpMediaMessage, type RtmpMessage } from '../wire/message.js';
import { Acknowledger } from './acknowledger.js';
import { type ConnectInfo, enhancedCapabilities, readConnectInfo, readStreamName } from './connect-info.js';
import type { RtmpServerEvent } from './events.js';
import { ServerHandshake } from './server-handshake.js';

export interface RtmpServerSessionOptions {
  readonly random: Random;
  readonly limits: ChunkReaderLimits;
  /** Of what is sent. */
  readonly chunkSize: number;
}

/** What bytes led to: bytes to be sent back, and events. */
export interface RtmpServerStep {
  readonly outbound: Buffer[];
  readonly events: RtmpServerEvent[];
}

/** Where a connection stands. */
type ServerState =
  | { readonly name: 'handshake'; readonly handshake: ServerHandshake }
  | { readonly name: 'open' }
  | { readonly name: 'connected'; readonly info: ConnectInfo }
  | { readonly name: 'asked'; readonly info: ConnectInfo; readonly what: 'publish' | 'play' }
  | { readonly name: 'publishing'; readonly info: ConnectInfo }
  | { readonly name: 'playing'; readonly info: ConnectInfo }
  /** Refused: nothing more is heard. */
  | { readonly name: 'over' };

const WINDOW = 2_500_000;
/** The one message stream of a connection: players share bytes that name it. */
export const MESSAGE_STREAM_ID = 1;
/** What Flash Media Server called itself; clients look for it. */
const FMS_VERSION = 'FMS/3,5,7,7009';
const FMS_CAPABILITIES = 31;
/** A media message of a client that hasn't asked to publish: it will be passed over, so it needs no room. */
const UNASKED_MEDIA_BYTES = 64 * 1024;
/** A media message of a client that has asked, and of one that has just stopped: a keyframe under way fits. */
const UNGRANTED_MEDIA_BYTES = 4 * 1024 * 1024;
/** What is refused while a connection already carries a stream, or for its name. */
const REFUSALS = { publish: 'NetStream.Publish.BadName', play: 'NetStream.Play.StreamNotFound' } as const;

/** The server's side of one RTMP connection: bytes in; bytes and events out. */
export class RtmpServerSession {
  readonly #chunkSize: number;
  readonly #reader: ChunkReader;
  readonly #acknowledger = new Acknowledger();
  #state: ServerState;
  #outbound: Buffer[] = [];
  #events: RtmpServerEvent[] = [];
  #wantsAudio = true;
  #wantsVideo = true;
  #paused = false;

  constructor(options: RtmpServerSessionOptions) {
    this.#state = { name: 'handshake', handshake: new ServerHandshake(options.random) };
    this.#chunkSize = options.chunkSize;
    this.#reader = new ChunkReader(options.limits);
    this.#reader.setMaxMediaBytes(UNASKED_MEDIA_BYTES);
  }

  /** What the client said in `connect`; undefined before. */
  get info(): ConnectInfo | undefined {
    return 'info' in this.#state ? this.#state.info : undefined;
  }

  /** What the player wants to get: it may have turned off something even before its play was accepted. */
  get reception(): { readonly audio: boolean; readonly video: boolean } {
    return { audio: this.#wantsAudio && !this.#paused, video: this.#wantsVideo && !this.#paused };
  }

  /** A word for the log on how far the connection came. */
  get stage(): string {
    return this.#state.name;
  }

  /**
   * Takes what the client sent; `bytes` isn't kept.
   *
   * @throws {RtmpError} or MediaError where the bytes can't be read; the session is over then
   */
  receive(bytes: Buffer): RtmpServerStep {
    const rest = this.#readHandshake(bytes);
    if (rest !== undefined && rest.length > 0) {
      const ack = this.#acknowledger.count(rest.length);
      for (const message of this.#reader.push(rest)) this.#handle(message);
      if (ack !== undefined) this.#outbound.push(ack);
    }
    return this.#step();
  }

  /** The publish that was asked for may begin. */
  acceptPublish(): Buffer[] {
    const info = this.#asked('publish');
    this.#state = { name: 'publishing', info };
    this.#reader.setMaxMediaBytes(Number.POSITIVE_INFINITY);
    return [
      userControl(USER_CONTROL.streamBegin, MESSAGE_STREAM_ID),
      this.#notice('onFCPublish', 'NetStream.Publish.Start', 'publishing'),
      this.#status('status', 'NetStream.Publish.Start', 'publishing'),
    ];
  }

  /** The play that was asked for may begin. */
  acceptPlay(): Buffer[] {
    const info = this.#asked('play');
    this.#state = { name: 'playing', info };
    return [
      userControl(USER_CONTROL.streamBegin, MESSAGE_STREAM_ID),
      this.#status('status', 'NetStream.Play.Reset', 'playing from the start'),
      this.#status('status', 'NetStream.Play.Start', 'playing'),
      encodeData(MESSAGE_STREAM_ID, this.#chunkSize, '|RtmpSampleAccess', true, true),
    ];
  }

  /** What was asked for is not granted. */
  refuse(refusal: Pick<RtmpRefusal, 'code' | 'message'>): Buffer[] {
    const info = this.info;
    if (info !== undefined) this.#state = { name: 'connected', info };
    return [this.#status('error', refusal.code, refusal.message)];
  }

  /**
   * The answer to a publish or play that another server would grant, in the form that players of Flash Media Server and
   * edges of other servers know.
   *
   * @param redirect.tcUrl what to connect to
   * @param redirect.url the stream there
   */
  redirect(description: string, { tcUrl, url }: { readonly tcUrl: string; readonly url: string }): Buffer[] {
    const info = this.info;
    if (info !== undefined) this.#state = { name: 'connected', info };
    const ex = { code: 302, redirect: tcUrl, redirect2: url };
    const status = { level: 'error', code: 'NetConnection.Connect.Rejected', description, ex };
    return [encodeCommand(MESSAGE_STREAM_ID, this.#chunkSize, 'onStatus', 0, null, status)];
  }

  /** The server ends what is going on: polite last words. */
  finish(reason: string): Buffer[] {
    if (this.#state.name === 'playing') {
      return [
        userControl(USER_CONTROL.streamEof, MESSAGE_STREAM_ID),
        this.#status('status', 'NetStream.Play.UnpublishNotify', reason),
        this.#status('status', 'NetStream.Play.Stop', reason),
      ];
    }
    if (this.#state.name === 'publishing') return [this.#status('error', 'NetStream.Unpublish.Success', reason)];
    return [];
  }

  /** Whether the client said that it understands a request to connect anew. */
  get reconnects(): boolean {
    return this.info?.reconnects ?? false;
  }

  /** Asks the client to connect anew, elsewhere if a URL is given. Enhanced RTMP v2 "Reconnect Request". */
  reconnectRequest(description: string, tcUrl?: string): Buffer {
    const where = tcUrl === undefined ? {} : { tcUrl };
    const info = { level: 'status', code: 'NetConnection.Connect.ReconnectRequest', description, ...where };
    return encodeCommand(0, this.#chunkSize, 'onStatus', 0, null, info);
  }

  #step(): RtmpServerStep {
    const step = { outbound: this.#outbound, events: this.#events };
    this.#outbound = [];
    this.#events = [];
    return step;
  }

  /** @returns the bytes behind the handshake; undefined while it lasts */
  #readHandshake(bytes: Buffer): Buffer | undefined {
    if (this.#state.name !== 'handshake') return bytes;
    const { answer, rest } = this.#state.handshake.receive(bytes);
    if (answer !== undefined) this.#outbound.push(answer);
    if (rest !== undefined) this.#state = { name: 'open' };
    return rest;
  }

  #handle(message: RtmpMessage): void {
    switch (message.type) {
      case MESSAGE_TYPE.windowAcknowledgementSize:
        if (message.payload.length >= 4) this.#acknowledger.setWindow(message.payload.readUInt32BE());
        break;
      case MESSAGE_TYPE.userControl:
        this.#handleUserControl(message.payload);
        break;
      case MESSAGE_TYPE.setPeerBandwidth:
        // §5.4.5: answered with the window that is in force.
        this.#outbound.push(windowAcknowledgementSize(WINDOW));
        break;
      case MESSAGE_TYPE.audio:
      case MESSAGE_TYPE.video:
      case MESSAGE_TYPE.dataAmf0:
      case MESSAGE_TYPE.dataAmf3:
      case MESSAGE_TYPE.aggregate:
        // Media of a client that neither publishes nor asks to has nowhere to go.
        if (this.#hearsMedia) this.#media(message);
        break;
      case MESSAGE_TYPE.commandAmf0:
      case MESSAGE_TYPE.commandAmf3:
        this.#handleCommand(readCommand(message));
        break;
    }
  }

  get #hearsMedia(): boolean {
    return this.#state.name === 'publishing' || (this.#state.name === 'asked' && this.#state.what === 'publish');
  }

  #media(message: RtmpMessage): void {
    const { type, timestamp, payload } = message;
    if (type === MESSAGE_TYPE.aggregate) {
      for (const inner of splitAggregate(message)) this.#events.push({ type: 'media', message: inner });
    } else if (payload.length > 0) {
      const isData = type === MESSAGE_TYPE.dataAmf0 || type === MESSAGE_TYPE.dataAmf3;
      const media: RtmpMediaMessage = isData
        ? { type: MESSAGE_TYPE.dataAmf0, timestamp, payload: dataAsAmf0(message) }
        : { type: type === MESSAGE_TYPE.audio ? 8 : 9, timestamp, payload };
      this.#events.push({ type: 'media', message: media });
    }
  }

  #handleUserControl(payload: Buffer): void {
    if (payload.length < 6 || payload.readUInt16BE() !== USER_CONTROL.pingRequest) return;
    this.#outbound.push(userControl(USER_CONTROL.pingResponse, payload.readUInt32BE(2)));
  }

  #handleCommand(command: RtmpCommand): void {
    if (this.#state.name === 'over') return;
    if (this.#state.name === 'open') {
      if (command.name !== 'connect') throw new RtmpError('malformed', `${quoted(command.name)} came before connect`);
      this.#connect(command);
      return;
    }
    switch (command.name) {
      case 'connect':
        throw new RtmpError('malformed', 'connect came twice');
      case 'createStream':
        this.#answer(command, MESSAGE_STREAM_ID);
        break;
      case 'publish':
      case 'play':
        this.#ask(command.name, command);
        break;
      case 'FCUnpublish':
        this.#answer(command, undefined);
        this.#stop(command.name);
        break;
      case 'closeStream':
      case 'deleteStream':
        this.#stop(command.name);
        break;
      case 'pause':
        this.#pause(command);
        break;
      case 'receiveAudio':
        this.#wantsAudio = command.args[0] !== false;
        this.#tellReception();
        break;
      case 'receiveVideo':
        this.#wantsVideo = command.args[0] !== false;
        this.#tellReception();
        break;
      case 'seek':
        this.#outbound.push(this.#status('status', 'NetStream.Seek.Notify', 'a live stream stays where it is'));
        break;
      case 'getStreamLength':
        this.#answer(command, 0);
        break;
      case '_result':
      case '_error':
      case 'onStatus':
        break;
      default:
        // releaseStream, FCPublish, _checkbw and what encoders invent: answered, so that nobody waits.
        this.#answer(command, undefined);
    }
  }

  #connect(command: RtmpCommand): void {
    const info = readConnectInfo(command.object);
    if ('refused' in info) {
      const status = { level: 'error', code: 'NetConnection.Connect.Rejected', description: info.refused };
      this.#outbound.push(encodeCommand(0, this.#chunkSize, '_error', command.transactionId, null, status));
      this.#events.push({ type: 'refused', reason: info.refused });
      this.#state = { name: 'over' };
      return;
    }
    this.#state = { name: 'connected', info };
    const properties = {
      fmsVer: FMS_VERSION,
      capabilities: FMS_CAPABILITIES,
      mode: 1,
      ...(info.enhanced ? enhancedCapabilities() : {}),
    };
    const status = {
      level: 'status',
      code: 'NetConnection.Connect.Success',
      description: 'connected',
      objectEncoding: info.objectEncoding,
    };
    this.#outbound.push(
      windowAcknowledgementSize(WINDOW),
      setPeerBandwidth(WINDOW),
      setChunkSize(this.#chunkSize),
      encodeCommand(0, this.#chunkSize, '_result', command.transactionId, properties, status),
    );
  }

  #ask(what: 'publish' | 'play', command: RtmpCommand): void {
    const info = this.info;
    if (info === undefined) return;
    if (this.#state.name !== 'connected') {
      this.#decline(REFUSALS[what], 'this connection has a stream already; take another connection for another stream');
      return;
    }
    const name = readStreamName(command.args[0], info.query);
    if ('refused' in name) {
      this.#decline(REFUSALS[what], name.refused);
      this.#events.push({ type: 'refused', reason: name.refused });
      this.#state = { name: 'over' };
      return;
    }
    this.#state = { name: 'asked', info, what };
    if (what === 'publish') this.#reader.setMaxMediaBytes(UNGRANTED_MEDIA_BYTES);
    this.#wantsAudio = true;
    this.#wantsVideo = true;
    this.#paused = false;
    this.#events.push({ type: what, ...name });
  }

  #decline(code: RtmpRefusalCode, description: string): void {
    this.#outbound.push(this.#status('error', code, description));
  }

  #asked(what: 'publish' | 'play'): ConnectInfo {
    if (this.#state.name !== 'asked' || this.#state.what !== what) {
      throw new RtmpError('malformed', `no ${what} was asked for`);
    }
    return this.#state.info;
  }

  #stop(reason: string): void {
    const { name } = this.#state;
    const info = this.info;
    if (info === undefined || name === 'connected') return;
    if (name === 'publishing') {
      this.#outbound.push(
        this.#notice('onFCUnpublish', 'NetStream.Unpublish.Success', 'unpublished'),
        this.#status('status', 'NetStream.Unpublish.Success', 'unpublished'),
      );
    }
    if (name === 'playing') this.#outbound.push(this.#status('status', 'NetStream.Play.Stop', 'stopped'));
    this.#state = { name: 'connected', info };
    this.#reader.setMaxMediaBytes(UNGRANTED_MEDIA_BYTES);
    this.#events.push({ type: 'stopped', reason });
  }

  #pause(command: RtmpCommand): void {
    this.#paused = command.args[0] === true;
    const code = this.#paused ? 'NetStream.Pause.Notify' : 'NetStream.Unpause.Notify';
    this.#outbound.push(this.#status('status', code, this.#paused ? 'paused' : 'playing'));
    this.#tellReception();
  }

  #tellReception(): void {
    if (this.#state.name === 'playing') this.#events.push({ type: 'receive', ...this.reception });
  }

  /** Calls of transaction 0 await no answer, RTMP §7.1.1; where there is something to say it is said nonetheless. */
  #answer(command: RtmpCommand, value: number | undefined): void {
    if (command.transactionId === 0 && value === undefined) return;
    this.#outbound.push(encodeCommand(0, this.#chunkSize, '_result', command.transactionId, null, value));
  }

  /** FMLE's own forms of the statuses on publishing. */
  #notice(name: 'onFCPublish' | 'onFCUnpublish', code: string, description: string): Buffer {
    return encodeCommand(0, this.#chunkSize, name, 0, null, { level: 'status', code, description });
  }

  #status(level: 'status' | 'error', code: string, description: string): Buffer {
    return encodeStatus(MESSAGE_STREAM_ID, this.#chunkSize, { level, code, description });
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
