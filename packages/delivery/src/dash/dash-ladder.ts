import {
  type Clock,
  type OutputKind,
  Refusal,
  type RenditionDirectory,
  type Stream,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import type { Departure } from '../segments/departure.js';
import type { NamedResource } from './dash-names.js';
import type { DashOutput, DashResource } from './dash-output.js';
import type { ListedRendition } from './mpd.js';
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
  /** The period for which a rendition is nothing but the stream itself. */
  readonly #standIns = new Map<StreamPath, number>();
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
    const listed = lead.listed(path, asked.period);
    if (listed === undefined || !lead.mayList(asked)) return undefined;
    if (this.#standIns.get(path) === asked.period) return lead.resourceOf(asked, timeoutMs, departure);
    renditions.want(path);
    let refusal: Refusal | undefined;
    try {
      const known = this.#outputs.get(path);
      const output = lead.ended || known?.ended === false ? known : await this.#start(path, departure);
      const found = await output?.resource(asked, Math.max(timeoutMs, START_PATIENCE * 1000), departure);
      if (found !== undefined || departure.hasLeft) return found;
    } catch (error) {
      if (!(error instanceof Refusal) || departure.hasLeft) throw error;
      refusal = error;
    }
    const instead = await this.#without(listed, asked, departure);
    if (instead === undefined && refusal !== undefined) throw refusal;
    return instead;
  }

  /**
   * What is listed and doesn't come would be the end for players. In the next period it is listed only if it can be
   * had; until then a picture stands, or where players know nothing of the rendition yet, it is the stream itself.
   */
  async #without(
    listed: ListedRendition,
    asked: NamedResource,
    departure: Departure,
  ): Promise<DashResource | undefined> {
    const { lead } = this.#options;
    const { path } = listed;
    lead.renew(asked.period);
    if (this.#inits.get(path)?.period === asked.period) return this.#outputs.get(path)?.standIn(asked);
    if (!lead.canStandInFor(listed, asked.period)) return undefined;
    const init = await lead.resourceOf({ ...asked, number: undefined }, 0, departure);
    if (init?.kind !== 'init') return undefined;
    this.#inits.set(path, { period: asked.period, init: init.bytes });
    this.#standIns.set(path, asked.period);
    return lead.resourceOf(asked, START_PATIENCE * 1000, departure);
  }

  async #start(path: StreamPath, departure: Departure): Promise<RenditionOutput> {
    const left = new AbortController();
    departure.whenLeft = () => left.abort();
    try {
      const stream = await this.#options.router.waitFor(path, left.signal, { forSeconds: START_PATIENCE });
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
