import { growingPause, type Logger, messageOf } from '@sluice/core';
import { flvConfigMessage, flvOpeningMessages, flvSampleMessage, type Sample, type TrackConfig } from '@sluice/media';
import { RtmpClient, RtmpError } from '@sluice/rtmp';
import { Interleaver } from './interleaver.js';
import type { PublishTarget } from './target.js';

export type PublisherState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly reason: string; readonly retryMs: number; readonly refused: boolean };

export interface PublisherOptions {
  readonly target: PublishTarget;
  readonly log: Logger;
  /** `refused` of a loss tells that the server said no, where it might be asked in vain for ever. */
  readonly onState: (state: PublisherState) => void;
  /** 0 to 1, for the pause between attempts. */
  readonly random?: () => number;
  readonly tls?: { readonly ca?: string };
}

const PAUSES = { firstMs: 500, longestMs: 10_000 } as const;
/** A connection that held so long was a good one: the next pause is the shortest again. */
const GOOD_MS = 10_000;
/** What the network hasn't taken: beyond it pictures are left out up to the next keyframe. */
const MOST_QUEUED_BYTES = 4 * 1024 * 1024;

/** Publishes samples over RTMP, and connects anew for as long as it isn't closed. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #configs = new Map<number, TrackConfig>();
  readonly #interleaver = new Interleaver();
  #client: RtmpClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #liveSince = 0;
  #awaitsKeyframe = true;
  #isConnecting = false;
  #isClosed = false;
  #bytes = 0;
  #pictures = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    options.onState({ kind: 'waiting' });
  }

  /** Media that was sent so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get pictures(): number {
    return this.#pictures;
  }

  /** A track's configuration, before its first sample and when it changes. */
  config(config: TrackConfig): void {
    this.#configs.set(config.track, config);
    if (this.#client !== undefined) this.#sendConfig(this.#client, config);
  }

  /** Connects with the first sample for which both tracks are known, and again where the connection is lost. */
  sample(sample: Sample): void {
    if (this.#isClosed) return;
    if (this.#client === undefined) {
      if (!this.#isConnecting && this.#timer === undefined && this.#knowsBoth()) this.#connect();
      return;
    }
    for (const ready of this.#interleaver.push(sample)) this.#send(this.#client, ready);
  }

  /** Ends the publish politely. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  #knowsBoth(): boolean {
    const kinds = new Set([...this.#configs.values()].map(({ kind }) => kind));
    return kinds.size === 2;
  }

  #connect(): void {
    this.#isConnecting = true;
    this.#options.onState({ kind: 'connecting', attempt: this.#failures + 1 });
    this.#open()
      .then((client) => this.#begin(client))
      .catch((error: unknown) => this.#lost(error))
      .finally(() => {
        this.#isConnecting = false;
      });
  }

  async #open(): Promise<RtmpClient> {
    const { target, tls } = this.#options;
    let client: RtmpClient | undefined;
    let hasClosed = false;
    let fault: RtmpError | undefined;
    client = await RtmpClient.connect(target.reveal(), {
      ...(tls === undefined ? {} : { tls }),
      onClose: (error) => {
        hasClosed = true;
        fault = error;
        if (client !== undefined && client === this.#client) this.#lost(error);
      },
    });
    try {
      await client.publish();
    } catch (error) {
      client.destroy();
      throw error;
    }
    // Its end may have come with the very bytes that accepted it, when nobody held it yet.
    if (hasClosed) throw fault ?? new RtmpError('closed', 'the server closed the connection');
    return client;
  }

  #begin(client: RtmpClient): void {
    if (this.#isClosed) {
      client.destroy();
      return;
    }
    const configs = [...this.#configs.values()];
    for (const message of flvOpeningMessages(configs)) client.send(message);
    this.#interleaver.clear();
    this.#awaitsKeyframe = true;
    this.#liveSince = performance.now();
    this.#client = client;
    this.#options.onState({ kind: 'live' });
  }

  #sendConfig(client: RtmpClient, config: TrackConfig): void {
    const message = flvConfigMessage(config);
    if (message !== undefined) client.send(message);
  }

  #send(client: RtmpClient, sample: Sample): void {
    const config = this.#configs.get(sample.track);
    if (config === undefined) return;
    if (client.queuedBytes > MOST_QUEUED_BYTES) this.#awaitsKeyframe = true;
    else if (sample.kind === 'video' && sample.keyframe) this.#awaitsKeyframe = false;
    if (this.#awaitsKeyframe) return;
    const message = flvSampleMessage(sample, config);
    client.send(message);
    this.#bytes += message.payload.length;
    if (sample.kind === 'video') this.#pictures += 1;
  }

  #lost(error: unknown): void {
    const { random = Math.random, onState, log, target } = this.#options;
    if (this.#client !== undefined && performance.now() - this.#liveSince > GOOD_MS) this.#failures = 0;
    this.#client = undefined;
    if (this.#isClosed) return;
    this.#failures += 1;
    const retryMs = growingPause(this.#failures, PAUSES, random());
    const reason = target.redact(error === undefined ? 'the server closed the connection' : messageOf(error));
    const refused = error instanceof RtmpError && error.code === 'refused';
    log.warn({ target: target.shown, reason, retryMs }, 'the target is lost');
    onState({ kind: 'lost', reason, retryMs, refused });
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
    }, retryMs);
  }
}
