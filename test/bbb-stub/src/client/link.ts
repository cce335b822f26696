/// <reference lib="dom" />
import type { ClientMessage, ServerMessage } from '../protocol.js';

const RETRY_MS = 400;

/** The client's connection to its server, which it makes anew when it breaks. */
export class ServerLink {
  readonly #url: string;
  readonly #onMessage: (message: ServerMessage) => void;
  readonly #onState: (isConnected: boolean) => void;
  #socket: WebSocket | undefined;
  #isClosed = false;

  constructor(url: string, onMessage: (message: ServerMessage) => void, onState: (isConnected: boolean) => void) {
    this.#url = url;
    this.#onMessage = onMessage;
    this.#onState = onState;
    this.#connect();
  }

  send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener('open', () => this.#onState(true));
    socket.addEventListener('message', ({ data }) => this.#onMessage(JSON.parse(String(data)) as ServerMessage));
    socket.addEventListener('close', () => {
      if (this.#isClosed) return;
      this.#onState(false);
      setTimeout(() => {
        if (!this.#isClosed) this.#connect();
      }, RETRY_MS);
    });
  }
}
