import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FanOutContext, Gate, Logger, StreamRouter } from '@sluice/core';
import { type MediaRequest, playRequestOf } from './http/media-request.js';
import { sendRefusal } from './http/responses.js';
import { flvFraming } from './tags/framing.js';
import { join } from './tags/join.js';
import { play } from './tags/playback.js';
import { selectionOf } from './tags/selection.js';
import { TagOutputs } from './tags/tag-outputs.js';

/** A viewer's line may be dead without anybody having said so. */
const KEEP_ALIVE_MS = 30_000;

/** Plays streams as an endless FLV file over HTTP. */
export class HttpFlv {
  readonly #context: { readonly gate: Gate; readonly router: StreamRouter };
  readonly #outputs: TagOutputs;

  constructor(options: { gate: Gate; router: StreamRouter; context: FanOutContext; log: Logger }) {
    this.#context = options;
    this.#outputs = new TagOutputs({ ...options, name: 'http-flv', framing: flvFraming });
  }

  /** Serves one request to its end. Never rejects for what a client does. */
  async serve(request: MediaRequest, response: ServerResponse, path: string): Promise<void> {
    const { socket, method } = request.message;
    const left = new AbortController();
    const leave = () => left.abort();
    socket.once('close', leave);
    try {
      const asked = playRequestOf(request, 'http-flv', path);
      const { admission, stream } = await join(asked, this.#context, left.signal);
      this.#writeHead(response);
      if (method === 'HEAD') {
        response.end();
        admission.close('head request');
        return;
      }
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      response.flushHeaders();
      // Behind a response that is still under way on this connection, the head waits in a queue, and media must too.
      if (response.socket === null) await once(response, 'socket', { signal: left.signal }).catch(() => undefined);
      if (left.signal.aborted) {
        admission.close('viewer left');
        return;
      }
      // From here on the shared bytes go straight to the socket: no chunked coding, no response object per write.
      const playback = play(stream.output(this.#outputs.kind(selectionOf(request.query))), socket, admission, (end) => {
        if (end.clean) socket.end();
        else socket.destroy();
      });
      socket.once('close', () => playback.stop('viewer left'));
      if (socket.destroyed) playback.stop('viewer left');
    } catch (error) {
      sendRefusal(response, error);
    } finally {
      socket.off('close', leave);
    }
  }

  /** A body without a length ends with the connection. */
  #writeHead(response: ServerResponse): void {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'Content-Type': 'video/x-flv', 'Cache-Control': 'no-store', Connection: 'close' });
  }
}
