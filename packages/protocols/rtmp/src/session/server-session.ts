import { RtmpError, type RtmpRefusal } from '../errors.js';
import { splitAggregate } from '../wire/aggregate.js';
import { ChunkReader, type ChunkReaderLimits } from '../wire/chunk-reader.js';
import {
  encodeCommand,
  encodeData,
  encodeStatus,
  type RtmpCommand,
  readCommand,
  stripAmf3Marker,
} from '../wire/command.js';
import {
  setChunkSize,
  setPeerBandwidth,
  USER_CONTROL,
  userControl,
  windowAcknowledgementSize,
} from '../wire/control.js';
import { answerHandshake, HANDSHAKE_SIZE, type Random } from '../wire/handshake.js';
import { MESSAGE_TYPE, type RtmpMediaMessage, type RtmpMessage } from '../wire/message.js';
import { Acknowledger } from './acknowledger.js';
import { type ConnectInfo, enhancedCapabilities, readConnectInfo, splitQuery } from './connect-info.js';
import type { RtmpServerEvent } from './events.js';

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
  | { readonly name: 'hello' }
  | { readonly name: 'echo' }
  | { readonly name: 'open' }
  | { readonly name: 'connected'; readonly info: ConnectInfo }
  | { readonly name: 'asked'; readonly info: ConnectInfo; readonly what: 'publish' | 'play' }
  | { readonly name: 'publishing'; readonly info: ConnectInfo }
  | { readonly name: 'playing'; readonly info: ConnectInfo };

const WINDOW = 2_500_000;
/** The one message stream of a connection: players share bytes that name it. */
export const MESSAGE_STREAM_ID = 1;
/** What Flash Media Server called itself; clients look for it. */
const FMS_VERSION = 'FMS/3,5,7,7009';
const FMS_CAPABILITIES = 31;
const MAX_STREAM_NAME = 2048;

/** The server's side of one RTMP connection: bytes in; bytes and events out. */
export class RtmpServerSession {
  readonly #random: Random;
  readonly #chunkSize: number;
  readonly #reader: ChunkReader;
  readonly #acknowledger = new Acknowledger();
  #state: ServerState = { name: 'hello' };
  #handshake: Buffer = Buffer.alloc(0);
  #outbound: Buffer[] = [];
  #events: RtmpServerEvent[] = [];
  #receiveAudio = true;
  #receiveVideo = true;

  constructor(options: RtmpServerSessionOptions) {
    this.#random = options.random;
    this.#chunkSize = options.chunkSize;
    this.#reader = new ChunkReader(options.limits);
  }

  /** What the client said in `connect`; undefined before. */
  get info(): ConnectInfo | undefined {
    return 'info' in this.#state ? this.#state.info : undefined;
  }

  /** A word for the log on how far the connection came. */
  get stage(): string {
    return this.#state.name;
  }

  /**
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
    return [
      userControl(USER_CONTROL.streamBegin, MESSAGE_STREAM_ID),
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
    if (this.#state.name !== 'hello' && this.#state.name !== 'echo') return bytes;
    let input = this.#handshake.length === 0 ? bytes : Buffer.concat([this.#handshake, bytes]);
    if (this.#state.name === 'hello') {
      if (input.length > 0) this.#checkVersion(input);
      if (input.length >= 1 + HANDSHAKE_SIZE) {
        this.#outbound.push(answerHandshake(input, this.#random));
        this.#state = { name: 'echo' };
        input = input.subarray(1 + HANDSHAKE_SIZE);
      }
    }
    if (this.#state.name === 'echo' && input.length >= HANDSHAKE_SIZE) {
      this.#state = { name: 'open' };
      this.#handshake = Buffer.alloc(0);
      return input.subarray(HANDSHAKE_SIZE);
    }
    this.#handshake = Buffer.from(input);
    return undefined;
  }

  /** At the first byte, so that an HTTP client or a port scanner is not waited for. */
  #checkVersion(input: Buffer): void {
    if (input[0] !== 3) throw new RtmpError('handshake', `the first byte is ${input[0]}; RTMP begins with 3`);
  }

  #handle(message: RtmpMessage): void {
    switch (message.type) {
      case MESSAGE_TYPE.windowAcknowledgementSize:
        if (message.payload.length >= 4) this.#acknowledger.setWindow(message.payload.readUInt32BE());
        break;
      case MESSAGE_TYPE.userControl:
        this.#handleUserControl(message.payload);
        break;
      case MESSAGE_TYPE.audio:
      case MESSAGE_TYPE.video:
        this.#media({ type: message.type, timestamp: message.timestamp, payload: message.payload });
        break;
      case MESSAGE_TYPE.dataAmf0:
      case MESSAGE_TYPE.dataAmf3: {
        const payload = stripAmf3Marker(message.type === MESSAGE_TYPE.dataAmf3, message.payload);
        this.#media({ type: MESSAGE_TYPE.dataAmf0, timestamp: message.timestamp, payload });
        break;
      }
      case MESSAGE_TYPE.aggregate:
        for (const inner of splitAggregate(message)) this.#media(inner);
        break;
      case MESSAGE_TYPE.commandAmf0:
      case MESSAGE_TYPE.commandAmf3:
        this.#handleCommand(readCommand(message));
        break;
    }
  }

  /** Media before an accepted publish, or from a player, has nowhere to go. */
  #media(message: RtmpMediaMessage): void {
    const { name } = this.#state;
    const asked = this.#state.name === 'asked' && this.#state.what === 'publish';
    if (name === 'publishing' || asked) this.#events.push({ type: 'media', message });
  }

  #handleUserControl(payload: Buffer): void {
    if (payload.length < 6 || payload.readUInt16BE() !== USER_CONTROL.pingRequest) return;
    this.#outbound.push(userControl(USER_CONTROL.pingResponse, payload.readUInt32BE(2)));
  }

  #handleCommand(command: RtmpCommand): void {
    if (this.#state.name === 'open') {
      if (command.name !== 'connect') throw new RtmpError('malformed', `${quoted(command.name)} came before connect`);
      this.#connect(command);
      return;
    }
    switch (command.name) {
      case 'connect':
        throw new RtmpError('malformed', 'connect came twice');
      case 'createStream':
        this.#result(command, MESSAGE_STREAM_ID);
        break;
      case 'publish':
      case 'play':
        this.#ask(command.name, command);
        break;
      case 'FCUnpublish':
      case 'closeStream':
      case 'deleteStream':
        this.#stop(command.name);
        break;
      case 'pause':
        this.#pause(command);
        break;
      case 'receiveAudio':
        this.#receive(command.args[0] !== false, this.#receiveVideo);
        break;
      case 'receiveVideo':
        this.#receive(this.#receiveAudio, command.args[0] !== false);
        break;
      case 'seek':
        this.#outbound.push(this.#status('status', 'NetStream.Seek.Notify', 'a live stream stays where it is'));
        break;
      case 'getStreamLength':
        this.#result(command, 0);
        break;
      default:
        // releaseStream, FCPublish, _checkbw and what encoders invent: answered, so that nobody waits.
        if (command.transactionId > 0) this.#result(command, undefined);
    }
  }

  #connect(command: RtmpCommand): void {
    const info = readConnectInfo(command.object);
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
      throw new RtmpError(
        'malformed',
        `${what} came while the connection was ${this.#state.name}; it carries one stream`,
      );
    }
    const name = command.args[0];
    if (typeof name !== 'string' || name.length > MAX_STREAM_NAME) {
      throw new RtmpError('malformed', `${what} without a usable stream name`);
    }
    const [stream, query] = splitQuery(name);
    this.#state = { name: 'asked', info, what };
    this.#receiveAudio = true;
    this.#receiveVideo = true;
    this.#events.push({ type: what, stream, query: [info.query, query].filter((part) => part !== '').join('&') });
  }

  #asked(what: 'publish' | 'play'): ConnectInfo {
    if (this.#state.name !== 'asked' || this.#state.what !== what) {
      throw new RtmpError('malformed', `no ${what} was asked for`);
    }
    return this.#state.info;
  }

  #stop(reason: string): void {
    const info = this.info;
    if (info === undefined || this.#state.name === 'connected') return;
    this.#state = { name: 'connected', info };
    this.#events.push({ type: 'stopped', reason });
  }

  #pause(command: RtmpCommand): void {
    const paused = command.args[0] === true;
    const code = paused ? 'NetStream.Pause.Notify' : 'NetStream.Unpause.Notify';
    this.#outbound.push(this.#status('status', code, paused ? 'paused' : 'playing'));
    if (this.#state.name === 'playing') this.#events.push({ type: 'receive', audio: !paused, video: !paused });
  }

  #receive(audio: boolean, video: boolean): void {
    this.#receiveAudio = audio;
    this.#receiveVideo = video;
    if (this.#state.name === 'playing') this.#events.push({ type: 'receive', audio, video });
  }

  #result(command: RtmpCommand, value: number | undefined): void {
    this.#outbound.push(encodeCommand(0, this.#chunkSize, '_result', command.transactionId, null, value));
  }

  #status(level: 'status' | 'error', code: string, description: string): Buffer {
    return encodeStatus(MESSAGE_STREAM_ID, this.#chunkSize, { level, code, description });
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
