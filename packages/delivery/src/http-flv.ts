import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { constants, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Doorkeeper, FanOutContext, Logger, StreamRouter } from '@sluice/core';
import { type MediaRequest, playRequestOf } from './http/media-request.js';
import type { NodeResponse } from './http/media-response.js';
import { sendRefusal } from './http/responses.js';
import { flvFraming } from './tags/framing.js';
import { join } from './tags/join.js';
import { play } from './tags/playback.js';
import { selectionOf } from './tags/selection.js';
import { TagOutputs } from './tags/tag-outputs.js';

/** Plays streams as an endless FLV file over HTTP. */
export class HttpFlv {
  readonly #context: { readonly gate: Doorkeeper; readonly router: StreamRouter };
  readonly #outputs: TagOutputs;

  constructor(options: { gate: Doorkeeper; router: StreamRouter; context: FanOutContext; log: Logger }) {
    this.#context = options;
    this.#outputs = new TagOutputs({ ...options, name: 'http-flv', framing: flvFraming });
  }

  /** Serves one request to its end. Never rejects for what a client does. */
  async serve(request: MediaRequest, response: NodeResponse, path: string): Promise<void> {
    const line = response instanceof Http2ServerResponse ? new StreamLine(response) : new SocketLine(request, response);
    const { socket } = line;
    const left = new AbortController();
    const leave = () => left.abort();
    socket.once('close', leave);
    try {
      const asked = playRequestOf(request, 'http-flv', path);
      const { admission, stream } = await join(asked, this.#context, left.signal);
      line.writeHead();
      if (request.message.method === 'HEAD') {
        response.end();
        admission.close('head request');
        return;
      }
      await line.begin(left.signal);
      if (left.signal.aborted) {
        admission.close('viewer left');
        return;
      }
      const playback = play(stream.output(this.#outputs.kind(selectionOf(request.query))), socket, admission, (end) => {
        if (end.clean) socket.end();
        else line.cut();
      });
      socket.once('close', () => playback.stop('viewer left'));
      if (socket.destroyed) playback.stop('viewer left');
    } catch (error) {
      sendRefusal(response, error);
    } finally {
      socket.off('close', leave);
    }
  }
}

const HEAD = { 'Content-Type': 'video/x-flv', 'Cache-Control': 'no-store' };

/** A whole HTTP/1.1 connection: the shared bytes go straight to its socket, with no chunked coding. */
class SocketLine {
  readonly socket: Socket;
  readonly #response: ServerResponse;

  constructor({ message }: MediaRequest, response: ServerResponse) {
    this.socket = message.socket;
    this.#response = response;
  }

  /** A body without a length ends with the connection. */
  writeHead(): void {
    const response = this.#response;
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { ...HEAD, Connection: 'close' });
  }

  /** Resolves when media may follow the head. */
  async begin(signal: AbortSignal): Promise<void> {
    this.#response.flushHeaders();
    // Behind a response that is still under way on this connection, the head waits in a queue, and media must too.
    if (this.#response.socket === null) await once(this.#response, 'socket', { signal }).catch(() => undefined);
  }

  cut(): void {
    this.socket.destroy();
  }
}

/**
 * One stream of an HTTP/2 connection. It counts what it has taken and not yet sent as a socket does, so the client's
 * flow control and a full line hold a viewer back all the same; the connection goes on when it ends.
 */
class StreamLine {
  readonly socket: ServerHttp2Stream;
  readonly #response: Http2ServerResponse;

  constructor(response: Http2ServerResponse) {
    this.socket = response.stream;
    this.#response = response;
  }

  writeHead(): void {
    this.#response.writeHead(200, HEAD);
  }

  async begin(): Promise<void> {}

  cut(): void {
    this.socket.close(constants.NGHTTP2_CANCEL);
  }
}
