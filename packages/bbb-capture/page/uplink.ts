/** Kinds of frames on the way to the server; `frame-protocol.ts` reads them. */
export const KIND = { clock: 1, config: 2, picture: 3, sound: 4, look: 5, ended: 7 } as const;
export const KEYFRAME = 1;
const HEADER_BYTES = 12;
/** What the server hasn't taken of pictures: beyond it they are left out up to the next keyframe. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;

/** The WebSocket to the server that serves this page. */
export class Uplink {
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static open(): Promise<Uplink> {
    const socket = new WebSocket(new URL('frames', location.href.replace(/^http/, 'ws')));
    socket.binaryType = 'arraybuffer';
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(new Uplink(socket));
      socket.onerror = () => reject(new Error('the WebSocket to the capture was refused'));
    });
  }

  get isBehind(): boolean {
    return this.#socket.bufferedAmount > MOST_WAITING_BYTES;
  }

  /** @param timestamp microseconds, on the clock of what is sent */
  send(kind: number, flags: number, timestamp: number, payload: Uint8Array): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const frame = new Uint8Array(HEADER_BYTES + payload.byteLength);
    const view = new DataView(frame.buffer);
    view.setUint8(0, kind);
    view.setUint8(1, flags);
    view.setFloat64(4, timestamp);
    frame.set(payload, HEADER_BYTES);
    this.#socket.send(frame);
  }

  say(kind: number, text: string): void {
    this.send(kind, 0, performance.now() * 1000, new TextEncoder().encode(text));
  }
}
