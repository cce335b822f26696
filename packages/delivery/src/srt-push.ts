import {
  type Doorkeeper,
  type Logger,
  type OutputKind,
  Persistent,
  type Stream,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import { readSrtUrl, type SrtTarget, srtConnect } from '@sluice/srt';
import { SrtViewerSocket } from './srt-viewer-socket.js';
import { type Playback, play } from './tags/playback.js';
import type { TsOutput } from './ts/ts-output.js';

export interface SrtPushOptions {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly kind: OutputKind<TsOutput>;
  readonly log: Logger;
  readonly random: () => number;
}

/** Gives a stream to an SRT peer for as long as it is live, again and again until it is stopped. */
export class SrtPush {
  readonly #options: SrtPushOptions;
  readonly #path: StreamPath;
  readonly #target: SrtTarget;
  readonly #persistent: Persistent;

  /**
   * Begins at once.
   *
   * @param url as `readSrtUrl` reads it
   * @throws {SrtError} `unsupported`: the URL can't be used
   */
  constructor(path: StreamPath, url: string, options: SrtPushOptions) {
    this.#options = options;
    this.#path = path;
    this.#target = readSrtUrl(url);
    const { log, random } = options;
    this.#persistent = new Persistent({
      attempt: (signal) => this.#push(signal),
      onPause: (reason, delayMs) => {
        log.warn({ path, to: this.#target.name, reason, retryMs: delayMs }, 'pushing is interrupted');
      },
      random,
    });
  }

  stop(): Promise<void> {
    return this.#persistent.stop();
  }

  async #push(signal: AbortSignal): Promise<string> {
    const { gate, router, kind, log } = this.#options;
    const stream: Stream | undefined = router.find(this.#path);
    if (stream === undefined) return 'the stream is not live';
    const socket = await srtConnect(this.#target, signal);
    try {
      const admission = await gate.admit({
        action: 'play',
        protocol: 'srt',
        path: this.#path,
        ip: socket.peer.address,
        credentials: {},
        query: new URLSearchParams(),
        byConfiguration: true,
      });
      let playback: Playback | undefined;
      const stop = () => socket.close('the push was stopped');
      signal.addEventListener('abort', stop);
      try {
        return await new Promise<string>((over) => {
          socket.serve({
            payload: () => undefined,
            closed: (reason) => {
              playback?.stop(reason);
              admission.close(reason);
              over(reason);
            },
          });
          playback = play(
            stream.output(kind),
            new SrtViewerSocket(socket),
            admission,
            ({ reason }) => socket.close(reason),
            () => ({ ...socket.statistics() }),
          );
          log.info({ path: this.#path, to: this.#target.name }, 'pushing');
          if (signal.aborted) stop();
        });
      } finally {
        signal.removeEventListener('abort', stop);
      }
    } finally {
      socket.close('the push is over');
    }
  }
}
