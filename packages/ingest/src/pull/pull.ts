import {
  type Admission,
  configuredRequest,
  type Doorkeeper,
  type Logger,
  messageOf,
  Persistent,
  type Publication,
  type RelayUrl,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import type { MediaEvent } from '@sluice/media';
import type { OpenPullLine, PullLine } from './pull-line.js';

export interface PullContext {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly log: Logger;
  /** 0 to 1. */
  readonly random: () => number;
  readonly open: OpenPullLine;
}

export interface PullOptions extends PullContext {
  readonly path: StreamPath;
  /** Asked before each try. */
  readonly url: () => RelayUrl;
  /** A line that brings nothing for so long is hung up. */
  readonly stallMs: number;
  /** A try has ended, or failed, and the next one comes in so many milliseconds. */
  readonly onPause?: (outcome: { readonly error: unknown; readonly reason: string; readonly delayMs: number }) => void;
}

/** Takes a stream from an origin and publishes it here, again and again until it is stopped. */
export class Pull {
  readonly #options: PullOptions;
  readonly #persistent: Persistent;
  /** What the last try failed with, where it failed. */
  #error: unknown;
  #publication: Publication | undefined;

  /** Begins at once. */
  constructor(options: PullOptions) {
    this.#options = options;
    const { path, url, log, random, onPause } = options;
    this.#persistent = new Persistent({
      attempt: (signal) => this.#try(signal),
      onPause: (reason, delayMs) => {
        log.warn({ path, from: url().name, reason, retryMs: delayMs }, 'pulling is interrupted');
        onPause?.({ error: this.#error, reason, delayMs });
      },
      random,
    });
  }

  /** Ends it. Its stream waits for another publisher, for the grace window. */
  stop(): Promise<void> {
    return this.#persistent.stop();
  }

  /** Ends it, and its stream with it: whoever wants that again is to have it fetched again. */
  giveUp(reason: string): Promise<void> {
    this.#publication?.endForGood(reason);
    return this.#persistent.stop();
  }

  async #try(signal: AbortSignal): Promise<string> {
    const { path, open, log } = this.#options;
    const url = this.#options.url();
    this.#error = undefined;
    try {
      this.#checkFree();
      const line = await open(url, signal, { path, log });
      return url.redact(await this.#serve(line, url, signal));
    } catch (error) {
      this.#error = error;
      throw new Error(url.redact(messageOf(error)), { cause: error });
    }
  }

  /** An encoder that publishes here is not to lose its stream to the configuration. */
  #checkFree(): void {
    const { router, path } = this.#options;
    const holder = router.publisherOf(path);
    if (holder !== undefined) throw new Error(`${path} is published here, by ${holder.protocol} from ${holder.ip}`);
  }

  /** @returns why the line is over */
  async #serve(line: PullLine, { name }: RelayUrl, signal: AbortSignal): Promise<string> {
    const { gate, path, log } = this.#options;
    try {
      const admission = await gate.admit(
        configuredRequest({
          action: 'publish',
          protocol: line.protocol,
          path,
          ip: line.address,
        }),
      );
      log.info({ path, from: name, session: admission.session.id }, 'pulling');
      return await this.#publish(line, admission, signal);
    } catch (error) {
      line.close(messageOf(error));
      throw error;
    }
  }

  #publish(line: PullLine, admission: Admission, signal: AbortSignal): Promise<string> {
    const { stallMs } = this.#options;
    return new Promise((resolve) => {
      let publication: Publication | undefined;
      const stall = setTimeout(() => line.close(`nothing came for ${stallMs / 1000} s`), stallMs);
      const hangUp = () => line.close('the pull was stopped');
      const over = (reason: string) => {
        clearTimeout(stall);
        signal.removeEventListener('abort', hangUp);
        publication?.end(reason);
        this.#publication = undefined;
        admission.close(reason);
        resolve(reason);
      };
      const write = (events: readonly MediaEvent[]) => {
        stall.refresh();
        // Servers agree to give streams that they don't have: it is one when the first of it has come.
        publication ??= this.#begin(line, admission);
        for (const event of events) publication.write(event);
      };
      admission.bind({
        cut: (reason) => line.close(reason),
        traffic: () => ({ received: line.received, sent: 0 }),
        ...(line.transport === undefined ? {} : { transport: () => line.transport?.() ?? {} }),
      });
      signal.addEventListener('abort', hangUp);
      line.run({
        over,
        events: (events) => {
          try {
            if (events.length > 0) write(events);
          } catch (error) {
            line.close(messageOf(error));
          }
        },
      });
      if (signal.aborted) hangUp();
    });
  }

  #begin(line: PullLine, { session }: Admission): Publication {
    this.#checkFree();
    this.#publication = this.#options.router.publish(session, { cut: (reason) => line.close(reason) });
    return this.#publication;
  }
}
