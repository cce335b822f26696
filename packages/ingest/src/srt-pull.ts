import { type Doorkeeper, type Logger, messageOf, Persistent, type StreamRouter } from '@sluice/core';
import { readSrtUrl, type SrtSocket, type SrtTarget, srtConnect } from '@sluice/srt';
import { ingestSrt } from './srt-ingest.js';

export interface SrtPullOptions {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly log: Logger;
  readonly random: () => number;
}

/** Takes a stream from an SRT peer and publishes it here, again and again until it is stopped. */
export class SrtPull {
  readonly #options: SrtPullOptions;
  readonly #path: string;
  readonly #target: SrtTarget;
  readonly #persistent: Persistent;

  /**
   * Begins at once.
   *
   * @param url as `readSrtUrl` reads it
   * @throws {SrtError} `unsupported`: the URL can't be used
   */
  constructor(path: string, url: string, options: SrtPullOptions) {
    this.#options = options;
    this.#path = path;
    this.#target = readSrtUrl(url);
    const { log, random } = options;
    this.#persistent = new Persistent({
      attempt: (signal) => this.#pull(signal),
      onPause: (reason, delayMs) => {
        log.warn({ path, from: this.#target.name, reason, retryMs: delayMs }, 'pulling is interrupted');
      },
      random,
    });
  }

  stop(): Promise<void> {
    return this.#persistent.stop();
  }

  async #pull(signal: AbortSignal): Promise<string> {
    const { log } = this.#options;
    const socket = await srtConnect(this.#target, signal);
    if (signal.aborted) socket.close('the pull was stopped');
    const stop = () => socket.close('the pull was stopped');
    signal.addEventListener('abort', stop);
    try {
      log.info({ path: this.#path, from: this.#target.name }, 'pulling');
      return await this.#publish(socket);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** @returns why it ended */
  async #publish(socket: SrtSocket): Promise<string> {
    const { gate, router, log } = this.#options;
    try {
      const admission = await gate.admit({
        action: 'publish',
        protocol: 'srt',
        path: this.#path,
        ip: socket.peer.address,
        credentials: {},
        query: new URLSearchParams(),
        byConfiguration: true,
      });
      admission.bind({
        cut: (reason) => socket.close(reason),
        traffic: () => ({ received: socket.statistics().byteRecv, sent: 0 }),
        transport: () => ({ ...socket.statistics() }),
      });
      return await new Promise<string>((over, failed) => {
        const close = (reason: string) => {
          admission.close(reason);
          over(reason);
        };
        try {
          const publication = router.publish(admission.session, { cut: (reason) => socket.close(reason) });
          ingestSrt(socket, publication, { log, over: close });
        } catch (error) {
          admission.close(messageOf(error));
          failed(error);
        }
      });
    } catch (error) {
      socket.close(messageOf(error));
      throw error;
    }
  }
}
