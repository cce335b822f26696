import { randomBytes } from 'node:crypto';
import { MESSAGE_TYPE, parseRtmpUrl, RtmpClientSession } from '@sluice/rtmp';
import { RtmpWalker } from './rtmp-walker.js';
import type { FrameSink } from './video-head.js';
import type { ViewerWire } from './viewer-wire.js';

/** S0, S1 and S2. RTMP §5.2. */
const HANDSHAKE = 1 + 2 * 1536;
const PING_REQUEST = 6;
const PING_RESPONSE = 7;

/**
 * An RTMP viewer. A client session talks until the server plays; the walker sees all chunks from the first,
 * and from then on is alone with them.
 */
export class RtmpPlayWire implements ViewerWire {
  readonly host: string;
  readonly port: number;
  accepted = false;
  readonly #walker: RtmpWalker;
  readonly #send: (bytes: Buffer) => void;
  #session: RtmpClientSession | undefined;
  #handshakeLeft = HANDSHAKE;
  readonly #start: Buffer;

  constructor(url: string, sink: FrameSink, send: (bytes: Buffer) => void) {
    const target = parseRtmpUrl(url);
    this.host = target.host;
    this.port = target.port;
    this.#send = send;
    this.#session = new RtmpClientSession(target, randomBytes);
    this.#start = this.#session.start();
    this.#walker = new RtmpWalker(sink, (type, body) => this.#answer(type, body));
  }

  start(): Buffer {
    return this.#start;
  }

  feed(bytes: Buffer, length: number): void {
    const skipped = Math.min(length, this.#handshakeLeft);
    this.#handshakeLeft -= skipped;
    this.#walker.feed(bytes, skipped, length);
    // The read buffer is shared and the session keeps what is incomplete, so it gets a copy.
    if (this.#session !== undefined) this.#talk(this.#session, Buffer.from(bytes.subarray(0, length)));
  }

  #talk(session: RtmpClientSession, bytes: Buffer): void {
    const { outbound, events } = session.receive(bytes);
    for (const answer of outbound) this.#send(answer);
    for (const { type } of events) {
      if (type === 'ready') for (const command of session.play()) this.#send(command);
      if (type === 'ended') throw new Error('the server ended the stream');
      if (type === 'playing') {
        this.accepted = true;
        this.#session = undefined;
      }
    }
  }

  /** Pings are answered until the end: nginx-rtmp drops who doesn't. RTMP §7.1.7. */
  #answer(type: number, body: Buffer): void {
    if (this.#session !== undefined || type !== MESSAGE_TYPE.userControl || body.length < 6) return;
    if (body.readUInt16BE(0) !== PING_REQUEST) return;
    const pong = Buffer.from([2, 0, 0, 0, 0, 0, 6, MESSAGE_TYPE.userControl, 0, 0, 0, 0, 0, PING_RESPONSE, 0, 0, 0, 0]);
    body.copy(pong, 14, 2, 6);
    this.#send(pong);
  }
}
