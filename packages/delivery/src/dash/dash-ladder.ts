import type { Clock, OutputKind, RenditionDirectory, Stream, StreamPath, StreamRouter } from '@sluice/core';
import type { Departure } from '../segments/departure.js';
import type { NamedResource } from './dash-names.js';
import type { DashOutput, DashResource } from './dash-output.js';
import { RenditionOutput } from './rendition-output.js';

export interface DashLadderOptions {
  /** The source's. */
  readonly lead: DashOutput;
  readonly router: StreamRouter;
  readonly renditions: RenditionDirectory;
  readonly clock: Clock;
}

/** How long the first one who asks waits for a rendition to be made, in seconds. */
const START_PATIENCE = 10;

/** The renditions that one MPD lists, each of which is made when the first segment of it is asked for. */
export class DashLadder {
  readonly #options: DashLadderOptions;
  readonly #outputs = new Map<StreamPath, RenditionOutput>();
  /** Of the newest period that has one. */
  readonly #inits = new Map<StreamPath, { readonly period: number; readonly init: Buffer }>();
  readonly #kind: OutputKind<RenditionOutput>;

  constructor(options: DashLadderOptions) {
    this.#options = options;
    const { lead, clock } = options;
    this.#kind = {
      name: 'dash',
      create: ({ path }) => {
        const agrees = (period: number, init: Buffer) => this.#agrees(path, period, init);
        const output = new RenditionOutput({ lead, clock, agrees });
        this.#outputs.set(path, output);
        return output;
      },
    };
  }

  /** Begins to cut a rendition that is live: all of it from now on. */
  follow(rendition: Stream): void {
    if (!this.#options.lead.ended) rendition.output(this.#kind);
  }

  /** Those that are live without anybody having asked for them here. */
  followAll(): void {
    for (const { path } of this.#options.lead.renditions) {
      const stream = this.#options.router.find(path);
      if (stream !== undefined) this.follow(stream);
    }
  }

  /**
   * What the MPD names of a rendition; it is made from now on, where it isn't yet.
   *
   * @returns undefined where there is no such thing, or it hasn't come in time
   * @throws {Refusal} `unavailable` where the rendition can't be made, `not-live` where it isn't in time
   */
  async resource(
    path: StreamPath,
    asked: NamedResource,
    timeoutMs: number,
    departure: Departure,
  ): Promise<DashResource | undefined> {
    const { lead, renditions } = this.#options;
    const isListed = lead.renditions.some((rendition) => rendition.path === path);
    if (!isListed || !lead.mayList(asked)) return undefined;
    renditions.want(path);
    const known = this.#outputs.get(path);
    const output = lead.ended || known?.ended === false ? known : await this.#start(path, departure);
    return output?.resource(asked, Math.max(timeoutMs, START_PATIENCE * 1000), departure);
  }

  async #start(path: StreamPath, departure: Departure): Promise<RenditionOutput> {
    const left = new AbortController();
    departure.whenLeft = () => left.abort();
    try {
      const stream = await this.#options.router.waitFor(path, left.signal, START_PATIENCE);
      return stream.output(this.#kind);
    } finally {
      departure.whenLeft = undefined;
    }
  }

  #agrees(path: StreamPath, period: number, init: Buffer): boolean {
    const known = this.#inits.get(path);
    if (known?.period === period) return known.init.equals(init);
    this.#inits.set(path, { period, init });
    return true;
  }
}
