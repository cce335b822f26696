import type { Socket } from 'node:net';
import type { FromWorker } from '@sluice/cluster';

/** Tells the main process which of the connections that it handed over are gone: those of one moment at once. */
export class ConnectionReport {
  readonly #send: (message: FromWorker) => void;
  #closed: number[] = [];

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  /** @param socket undefined where it has gone on the way */
  opened(id: number, socket: Socket | undefined): void {
    if (socket === undefined) this.#note(id);
    else socket.once('close', () => this.#note(id));
  }

  #note(id: number): void {
    if (this.#closed.length === 0) setImmediate(() => this.#tell());
    this.#closed.push(id);
  }

  #tell(): void {
    const ids = this.#closed;
    this.#closed = [];
    this.#send({ type: 'connections-closed', ids });
  }
}
