import { connect, type Socket } from 'node:net';
import { monotonicMs } from '../clock.js';

/** An HTTP/1.1 answer whose length was told. */
export interface Answer {
  readonly status: number;
  readonly isGzip: boolean;
  /** Only where it was asked for; good until the next read. */
  readonly body: Buffer | undefined;
  /** When its last byte was read, in ms of the machine's monotonic clock. */
  readonly at: number;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly userAgent: string;
  /** All sockets of a worker read into this one: what is read is walked over at once. */
  readonly readBuffer: Buffer;
  readonly onBytes: (count: number) => void;
  readonly onFailure: (reason: string) => void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEAD = 8192;

/** One connection of a viewer, for one request after the other. It keeps no more of a body than is asked for. */
export class KeepAliveConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #tail: string;
  #answered: ((answer: Answer) => void) | undefined;
  #keepsBody = false;
  #head: Buffer | undefined;
  #status = 0;
  #isGzip = false;
  #left = 0;
  #kept: Buffer[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { host, port, userAgent, readBuffer } = options;
    this.#tail = ` HTTP/1.1\r\nHost: ${host}:${port}\r\nUser-Agent: ${userAgent}\r\nAccept-Encoding: gzip\r\n\r\n`;
    const onread = { buffer: readBuffer, callback: (length: number) => this.#read(length) };
    this.#socket = connect({ host, port, noDelay: true, onread });
    this.#socket.on('error', ({ message }) => options.onFailure(message));
    this.#socket.on('close', () => options.onFailure('the server closed the connection'));
  }

  get isBusy(): boolean {
    return this.#answered !== undefined;
  }

  get(path: string, keepsBody: boolean, answered: (answer: Answer) => void): void {
    this.#answered = answered;
    this.#keepsBody = keepsBody;
    this.#socket.write(`GET ${path}${this.#tail}`, 'latin1');
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(length: number): boolean {
    const { readBuffer, onBytes, onFailure } = this.#options;
    onBytes(length);
    let bytes = readBuffer.subarray(0, length);
    if (this.#left === 0) {
      const all = this.#head === undefined ? bytes : Buffer.concat([this.#head, bytes]);
      const end = all.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = Buffer.from(all);
        if (all.length > MAX_HEAD) onFailure('a head without an end');
        return all.length <= MAX_HEAD;
      }
      const head = all.toString('latin1', 0, end);
      const told = /\r\nContent-Length: (\d+)/i.exec(head)?.[1];
      if (told === undefined) {
        onFailure('an answer without Content-Length');
        return false;
      }
      this.#status = Number(head.slice(9, 12));
      this.#isGzip = head.includes('Content-Encoding: gzip');
      this.#left = Number(told);
      this.#head = undefined;
      bytes = all.subarray(end + HEAD_END.length);
    }
    this.#left -= bytes.length;
    const isWhole = this.#left <= 0;
    if (this.#keepsBody) this.#kept.push(isWhole ? bytes : Buffer.from(bytes));
    if (isWhole) this.#finish();
    return true;
  }

  #finish(): void {
    const [answered, kept] = [this.#answered, this.#kept];
    this.#answered = undefined;
    this.#kept = [];
    const [only] = kept;
    const body = !this.#keepsBody ? undefined : kept.length === 1 ? only : Buffer.concat(kept);
    answered?.({ status: this.#status, isGzip: this.#isGzip, body, at: monotonicMs() });
  }
}
