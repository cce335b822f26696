import {
  configuredRequest,
  type Doorkeeper,
  type Logger,
  messageOf,
  Persistent,
  type RelayUrl,
  type Stream,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import { play } from '../tags/playback.js';
import type { OpenPushLine, PushLine } from './push-line.js';

export interface PushContext {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly log: Logger;
  /** 0 to 1. */
  readonly random: () => number;
  readonly open: OpenPushLine;
}

export interface PushOptions extends PushContext {
  readonly path: StreamPath;
  readonly url: RelayUrl;
}

/** Gives a stream to another server for as long as it is live, again and again until it is stopped. */
export class Push {
  readonly #options: PushOptions;
  readonly #persistent: Persistent;

  /** Begins at once. */
  constructor(options: PushOptions) {
    this.#options = options;
    const { path, url, log, random } = options;
    this.#persistent = new Persistent({
      attempt: (signal) => this.#try(signal),
      onPause: (reason, delayMs) => {
        log.warn({ path, to: url.name, reason, retryMs: delayMs }, 'pushing is interrupted');
      },
      random,
    });
  }

  stop(): Promise<void> {
    return this.#persistent.stop();
  }

  async #try(signal: AbortSignal): Promise<string> {
    const { router, path, url, open } = this.#options;
    const stream = router.find(path);
    if (stream === undefined) return 'the stream is not live';
    try {
      return url.redact(await this.#serve(await open(url, signal), stream));
    } catch (error) {
      throw new Error(url.redact(messageOf(error)), { cause: error });
    }
  }

  /** @returns why the line is over */
  async #serve(line: PushLine, stream: Stream): Promise<string> {
    const { gate, path, url, log } = this.#options;
    try {
      const admission = await gate.admit(
        configuredRequest({
          action: 'play',
          protocol: line.protocol,
          path,
          ip: line.address,
        }),
      );
      const { transport } = line;
      const playback = play(
        line.outputOf(stream),
        line.socket,
        admission,
        ({ reason }) => line.close(reason),
        transport === undefined ? undefined : () => transport(),
      );
      log.info({ path, to: url.name, session: admission.session.id }, 'pushing');
      const reason = await line.over;
      playback.stop(reason);
      return reason;
    } finally {
      line.close('the push is over');
    }
  }
}
