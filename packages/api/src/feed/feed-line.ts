import type { ServerResponse } from 'node:http';

/** Somebody who reads this slowly would make the server keep what they don't take. */
const MOST_BYTES = 4 * 1024 * 1024;

/** One listener's line: server-sent events (HTML Living Standard §9.2). */
export class FeedLine {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx would gather events otherwise.
      'X-Accel-Buffering': 'no',
    });
    response.on('error', () => response.destroy());
  }

  onClose(listener: () => void): void {
    this.#response.once('close', listener);
  }

  /** @param text as `eventText` makes it; the same for all listeners */
  write(text: string): void {
    if (this.#response.writableLength > MOST_BYTES) this.#response.destroy();
    else this.#response.write(text);
  }

  /** Asks the listener to come again, and ends. */
  renew(): void {
    this.#response.end(eventText('renew', {}));
  }
}

export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
