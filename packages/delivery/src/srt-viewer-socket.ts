import type { ViewerSocket } from '@sluice/core';
import type { SrtSocket } from '@sluice/srt';

const TS_PACKET = 188;
/** As every SRT tool sends it: seven MPEG-TS packets. */
const PAYLOAD_BYTES = 7 * TS_PACKET;

/** What fan-out writes to, over SRT. It is never full: what the line doesn't take in time is dropped by its own rules. */
export class SrtViewerSocket implements ViewerSocket {
  readonly writableLength = 0;
  readonly #socket: SrtSocket;

  constructor(socket: SrtSocket) {
    this.#socket = socket;
  }

  write(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; at += PAYLOAD_BYTES) this.#socket.send(bytes.subarray(at, at + PAYLOAD_BYTES));
    return true;
  }

  cork(): void {}

  uncork(): void {}

  on(): void {}

  off(): void {}
}
