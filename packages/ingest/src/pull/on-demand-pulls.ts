import {
  type Clock,
  originQuery,
  type PullSettings,
  Refusal,
  type Session,
  type StreamFetcher,
  type StreamPath,
} from '@sluice/core';
import { Pull, type PullContext } from './pull.js';
import { OriginRefusal } from './pull-line.js';

export interface OnDemandPullsOptions extends PullContext {
  readonly clock: Clock;
  /** From where a path is pulled, as the configuration has it now. */
  readonly settingsFor: (path: StreamPath) => PullSettings | undefined;
}

interface Entry {
  readonly settings: PullSettings;
  readonly pull: Pull;
  /** By whose query the origin is asked: of the viewer who came last. */
  readonly by: { query: string };
}

/** What an origin said, for those who ask for the same before it is asked again. */
interface Refused {
  readonly refusal: Refusal;
  readonly query: string;
  readonly until: number;
}

const SWEEP_MS = 500;
/** Players ask again at once; an origin that has said no is asked again after this. */
const REFUSED_MS = 5000;
/** Whoever asks for names at random is not to have this server ask its origin for all of them at once. */
const MOST_AWAITED = 200;

/** Pulls streams from the first viewer on, until they have had none for a while. */
export class OnDemandPulls implements StreamFetcher {
  readonly #options: OnDemandPullsOptions;
  readonly #entries = new Map<StreamPath, Entry>();
  readonly #refused = new Map<StreamPath, Refused>();
  readonly #timer: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: OnDemandPullsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  canFetch(path: StreamPath): boolean {
    return !this.#isClosed && this.#options.settingsFor(path)?.mode === 'onDemand';
  }

  fetch(path: StreamPath, viewer: Session | undefined): void {
    const { router, settingsFor } = this.#options;
    const settings = settingsFor(path);
    if (settings?.mode !== 'onDemand' || this.#isClosed || router.find(path) !== undefined) return;
    const query = settings.passQuery && viewer !== undefined ? originQuery(viewer.query) : '';
    const known = this.#entries.get(path);
    const refusal = this.#refusalFor(path, query);
    if (known !== undefined) known.by.query = query;
    else if (refusal !== undefined) router.refuse(path, refusal);
    else this.#begin(path, settings, query);
  }

  /** A viewer whom the origin lets watch has come: where the line breaks, it is asked by that viewer's query again. */
  offer(path: StreamPath, query: string): void {
    const entry = this.#entries.get(path);
    if (entry !== undefined) entry.by.query = query;
  }

  /** Takes the settings anew: streams under way go on from where they now say. */
  follow(): void {
    for (const [path, { settings, pull, by }] of [...this.#entries]) {
      const now = this.#options.settingsFor(path);
      if (now !== undefined && isSame(now, settings)) continue;
      this.#entries.delete(path);
      if (now?.mode === 'onDemand') void pull.stop().then(() => this.#goOn(path, now, by.query));
      else void pull.giveUp('it is pulled on demand no more');
    }
  }

  async close(reason: string): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    const pulls = [...this.#entries.values()].map(({ pull }) => pull.giveUp(reason));
    this.#entries.clear();
    await Promise.all(pulls);
  }

  /** How many of them have not been live yet, or are not now. */
  get #awaited(): number {
    let awaited = 0;
    for (const path of this.#entries.keys()) if (this.#options.router.find(path) === undefined) awaited += 1;
    return awaited;
  }

  #goOn(path: StreamPath, settings: PullSettings, query: string): void {
    if (!this.#isClosed && !this.#entries.has(path)) this.#begin(path, settings, query);
  }

  #refusalFor(path: StreamPath, query: string): Refusal | undefined {
    const refused = this.#refused.get(path);
    if (refused?.query === query && refused.until > this.#options.clock.monotonic()) return refused.refusal;
    if (this.#awaited < MOST_AWAITED) return undefined;
    return new Refusal('unavailable', `${path} can't be fetched now: ${MOST_AWAITED} streams are being fetched`);
  }

  #begin(path: StreamPath, settings: PullSettings, query: string): void {
    const by = { query };
    const pull = new Pull({
      ...this.#options,
      path,
      url: () => settings.url.withQuery(by.query),
      stallMs: settings.stallSeconds * 1000,
      onPause: ({ error, reason }) => {
        if (error instanceof OriginRefusal && error.kind === 'denied') this.#denied(path, entry, reason);
      },
    });
    const entry: Entry = { settings, pull, by };
    this.#entries.set(path, entry);
  }

  /** What the origin won't give is told to those who wait; what it can't give now, they may wait for. */
  #denied(path: StreamPath, entry: Entry, reason: string): void {
    const { router, clock } = this.#options;
    // In the grace window of a stream, somebody else's right may still hold.
    if (this.#entries.get(path) !== entry || router.find(path) !== undefined) return;
    this.#entries.delete(path);
    const refusal = new Refusal('origin-refused', `the origin of ${path} refused: ${reason}`);
    this.#refused.set(path, { refusal, query: entry.by.query, until: clock.monotonic() + REFUSED_MS });
    router.refuse(path, refusal);
    // The pause has not begun yet.
    setImmediate(() => void entry.pull.stop());
  }

  #sweep(): void {
    const { router, clock } = this.#options;
    const now = clock.monotonic();
    for (const [path, { settings, pull }] of this.#entries) {
      const stream = router.find(path);
      // A stream that waits for its origin ends by itself, and what is asked for until then finds it here.
      if (router.isWanted(path) || stream?.state === 'waiting') continue;
      const idleMs = stream?.idleSince === undefined ? Number.POSITIVE_INFINITY : now - stream.idleSince;
      if (idleMs < settings.idleSeconds * 1000) continue;
      this.#entries.delete(path);
      void pull.giveUp('nobody watches');
    }
    for (const [path, { until }] of this.#refused) if (until <= now) this.#refused.delete(path);
  }
}

function isSame(a: PullSettings, b: PullSettings): boolean {
  const plain = ({ url, ...rest }: PullSettings) => JSON.stringify([url.reveal(), rest]);
  return plain(a) === plain(b);
}
