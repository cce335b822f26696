import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { FlvDemuxer, type Sample } from '@sluice/media';

/** An answer that has come in full. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One connection to an HTTP/2 server whose certificate nobody has signed. */
export class Http2Client {
  readonly session: ClientHttp2Session;
  /** The code of the server's GOAWAY. */
  goaway: number | undefined;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => undefined);
    session.on('goaway', (code) => {
      this.goaway = code;
    });
  }

  static async connect(url: string, settings: { initialWindowSize?: number } = {}): Promise<Http2Client> {
    const session = connect(url, { rejectUnauthorized: false, settings });
    const client = new Http2Client(session);
    await new Promise<void>((resolve, reject) => {
      session.once('remoteSettings', () => resolve());
      session.once('error', reject);
    });
    return client;
  }

  /** Sends a request with no body, and leaves the answer to the caller. */
  open(path: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
    const stream = this.session.request({ ':path': path, ...headers });
    stream.on('error', () => undefined);
    return stream;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Http2Answer> {
    return answerTo(this.open(path, headers));
  }

  close(): void {
    this.session.destroy();
  }
}

/** Reads an answer to its end. Rejects where the stream is reset before there is one. */
export function answerTo(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let headers: IncomingHttpHeaders | undefined;
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.once('close', () => {
      if (headers === undefined || stream.rstCode !== 0) reject(new Error(`reset with code ${stream.rstCode}`));
      else resolve({ status: Number(headers[':status']), headers, body: Buffer.concat(parts) });
    });
  });
}

/** The samples of an endless FLV answer, as they come. */
export function flvSamples(stream: ClientHttp2Stream): readonly Sample[] {
  const samples: Sample[] = [];
  const demuxer = new FlvDemuxer();
  stream.on('data', (bytes: Buffer) => {
    for (const event of demuxer.push(bytes)) if (event.type === 'sample') samples.push(event.sample);
  });
  return samples;
}

/** A frame, RFC 9113 §4.1. */
export function http2Frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(9 + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(stream, 5);
  payload.copy(frame, 9);
  return frame;
}

/** `GET /status/streams` in HPACK's static table and one literal. RFC 7541. */
export const REQUEST_HEADERS = Buffer.concat([
  Buffer.from([0x82, 0x87, 0x41, 1, 0x78, 0x04, 15]),
  Buffer.from('/status/streams'),
]);

/** A connection that sends whatever frames it likes. */
export class RawHttp2 {
  readonly socket: TLSSocket;
  closed = false;
  #received = Buffer.alloc(0);

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
  }

  static async connect(url: string): Promise<RawHttp2> {
    const { hostname, port } = new URL(url);
    const socket = connectTls({ port: Number(port), host: hostname, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    const raw = new RawHttp2(socket);
    raw.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), http2Frame(4, 0, 0, Buffer.alloc(0)));
    return raw;
  }

  send(...frames: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames));
  }

  /** The error code of the GOAWAY that has come. */
  get goaway(): number | undefined {
    const bytes = this.#received;
    for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      if (bytes[at + 3] === 7 && at + 17 <= bytes.length) return bytes.readUInt32BE(at + 13);
    }
    return undefined;
  }
}
