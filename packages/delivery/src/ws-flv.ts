import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Doorkeeper, type FanOutContext, type Logger, Refusal, type StreamRouter } from '@sluice/core';
import { type WebSocket, WebSocketServer } from 'ws';
import { type MediaRequest, playRequestOf } from './http/media-request.js';
import { webSocketFrame } from './http/web-socket-frame.js';
import { flvFraming } from './tags/framing.js';
import { join } from './tags/join.js';
import { play } from './tags/playback.js';
import { selectionOf } from './tags/selection.js';
import { TagOutputs } from './tags/tag-outputs.js';

/** Viewers have nothing to tell us. */
const MAX_INCOMING_MESSAGE = 1024;
const CLOSE = { normal: 1000, tryAgainLater: 1013, policy: 1008 } as const;
const MAX_CLOSE_REASON = 120;

/** A request that asks to go on as WebSocket, which only HTTP/1.1 has a way for here. */
type UpgradeRequest = MediaRequest & { readonly message: IncomingMessage };

/**
 * Plays streams as an endless FLV file over WebSocket. The handshake and control frames are the `ws` package's; media
 * goes to the socket in frames that are made once for all viewers.
 */
export class WsFlv {
  readonly #context: { readonly gate: Doorkeeper; readonly router: StreamRouter };
  readonly #outputs: TagOutputs;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_INCOMING_MESSAGE,
  });

  constructor(options: { gate: Doorkeeper; router: StreamRouter; context: FanOutContext; log: Logger }) {
    this.#context = options;
    this.#outputs = new TagOutputs({
      name: 'ws-flv',
      framing: flvFraming,
      context: options.context,
      log: options.log,
      envelope: webSocketFrame,
    });
  }

  /** Takes over an upgrade request. Never rejects for what a client does. */
  upgrade(request: UpgradeRequest, socket: Socket, head: Buffer, path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.once('close', resolve);
      this.#server.handleUpgrade(request.message, socket, head, (webSocket) => {
        webSocket.on('error', () => socket.destroy());
        this.#play(webSocket, request, socket, path).then(resolve, reject);
      });
    });
  }

  async #play(webSocket: WebSocket, request: MediaRequest, socket: Socket, path: string): Promise<void> {
    const left = new AbortController();
    webSocket.once('close', () => left.abort());
    try {
      const asked = playRequestOf(request, 'ws-flv', path);
      const { admission, stream } = await join(asked, this.#context, left.signal);
      const playback = play(stream.output(this.#outputs.kind(selectionOf(request.query))), socket, admission, (end) => {
        if (end.clean) webSocket.close(CLOSE.normal, end.reason.slice(0, MAX_CLOSE_REASON));
        else webSocket.terminate();
      });
      left.signal.addEventListener('abort', () => playback.stop('viewer left'));
      if (left.signal.aborted) playback.stop('viewer left');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const code = error.code === 'not-live' || error.code === 'draining' ? CLOSE.tryAgainLater : CLOSE.policy;
      webSocket.close(code, error.message.slice(0, MAX_CLOSE_REASON));
    }
  }
}
