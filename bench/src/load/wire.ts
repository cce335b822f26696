import { HttpBody } from './http-body.js';
import { FlvWalker } from './flv-walker.js';
import type { FrameSink } from './video-head.js';
import { RtmpPlayWire } from './rtmp-play-wire.js';

/** One viewer's protocol: what to send at first, and what to make of the bytes that come. */
export interface ViewerWire {
  readonly host: string;
  readonly port: number;
  /** Whether the server has said that it plays. */
  readonly accepted: boolean;
  /** The first bytes to send. */
  start(): Buffer;
  /** @throws where the server refuses, or talks nonsense */
  feed(bytes: Buffer, length: number): void;
}

/**
 * @param url `http://host:port/app/name.flv` or `rtmp://host:port/app/name`
 * @param send for answers that the protocol asks for
 */
export function openWire(url: string, sink: FrameSink, send: (bytes: Buffer) => void): ViewerWire {
  return url.startsWith('rtmp:') ? new RtmpPlayWire(url, sink, send) : new HttpFlvWire(url, sink);
}

class HttpFlvWire implements ViewerWire {
  readonly host: string;
  readonly port: number;
  readonly #url: URL;
  readonly #body: HttpBody;

  constructor(url: string, sink: FrameSink) {
    this.#url = new URL(url);
    this.host = this.#url.hostname;
    this.port = Number(this.#url.port || 80);
    this.#body = new HttpBody(new FlvWalker(sink));
  }

  get accepted(): boolean {
    return this.#body.headRead;
  }

  start(): Buffer {
    const { pathname, search, host } = this.#url;
    return Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: sluice-bench\r\nAccept: */*\r\n\r\n`);
  }

  feed(bytes: Buffer, length: number): void {
    this.#body.feed(bytes, 0, length);
  }
}
