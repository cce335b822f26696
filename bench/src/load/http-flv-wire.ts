import { FlvWalker } from './flv-walker.js';
import { HttpBody } from './http-body.js';
import type { FrameSink } from './video-head.js';
import type { ViewerWire } from './viewer-wire.js';

/** An HTTP-FLV viewer. */
export class HttpFlvWire implements ViewerWire {
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
    return Buffer.from(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: sluice-bench\r\nAccept: */*\r\n\r\n`,
    );
  }

  feed(bytes: Buffer, length: number): void {
    this.#body.feed(bytes, 0, length);
  }
}
