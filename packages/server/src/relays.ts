import {
  type Doorkeeper,
  type EventBus,
  type LiveConfig,
  type Logger,
  messageOf,
  type OutputKind,
  type StreamPath,
  type StreamRouter,
  settingsFor,
} from '@sluice/core';
import { SrtPush, type TsOutput } from '@sluice/delivery';
import { SrtPull } from '@sluice/ingest';

export interface RelaysOptions {
  readonly live: LiveConfig;
  readonly events: EventBus;
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly kind: OutputKind<TsOutput>;
  readonly log: Logger;
  readonly random: () => number;
}

interface Relay {
  stop(): Promise<void>;
}

/** Streams that the configuration takes from elsewhere, and gives there. They follow it while the server runs. */
export class Relays {
  readonly #options: RelaysOptions;
  /** By path and URL. */
  readonly #pulls = new Map<string, Relay>();
  readonly #pushes = new Map<StreamPath, Map<string, Relay>>();
  readonly #stopListening: readonly (() => void)[];

  constructor(options: RelaysOptions) {
    this.#options = options;
    const { live, events } = options;
    this.#stopListening = [
      live.onChange(() => this.#follow()),
      events.on('stream-started', ({ path }) => this.#followPushes(path)),
      events.on('stream-resumed', ({ path }) => this.#followPushes(path)),
      events.on('stream-ended', ({ path }) => this.#stopAll(this.#pushes, path)),
    ];
  }

  /** Begins with the pulls that there are. */
  start(): void {
    this.#follow();
  }

  async close(): Promise<void> {
    for (const stop of this.#stopListening) stop();
    const pushes = [...this.#pushes.values()].flatMap((relays) => [...relays.values()]);
    const relays = [...this.#pulls.values(), ...pushes];
    this.#pulls.clear();
    this.#pushes.clear();
    await Promise.all(relays.map((relay) => relay.stop()));
  }

  #follow(): void {
    const { live, router } = this.#options;
    const wanted = new Map<string, { path: string; url: string }>();
    for (const [path, { pull }] of Object.entries(live.current.paths)) {
      if (pull !== undefined) wanted.set(`${path} ${pull.url}`, { path, url: pull.url });
    }
    this.#reconcile(this.#pulls, wanted, ({ path, url }) => new SrtPull(path, url, this.#options));
    for (const { path } of router.streams()) this.#followPushes(path);
  }

  #followPushes(path: StreamPath): void {
    const relays = this.#pushes.get(path) ?? new Map<string, Relay>();
    const [app = '', ...rest] = path.split('/');
    // Of a cluster, the node pushes a stream where it comes in.
    const isElsewhere = this.#options.router.publisherOf(path)?.node !== undefined;
    const targets = isElsewhere ? [] : settingsFor(this.#options.live.current, path).push.urls;
    const urls = targets.map((url) => url.replaceAll('{app}', app).replaceAll('{name}', rest.join('/')));
    const wanted = new Map(urls.map((url) => [url, url]));
    this.#reconcile(relays, wanted, (url) => new SrtPush(path, url, this.#options), path);
    if (relays.size > 0) this.#pushes.set(path, relays);
    else this.#pushes.delete(path);
  }

  #reconcile<T>(
    relays: Map<string, Relay>,
    wanted: ReadonlyMap<string, T>,
    begin: (what: T) => Relay,
    path?: string,
  ): void {
    for (const [key, relay] of relays) {
      if (wanted.has(key)) continue;
      relays.delete(key);
      void relay.stop();
    }
    for (const [key, what] of wanted) {
      if (relays.has(key)) continue;
      try {
        relays.set(key, begin(what));
      } catch (error) {
        const named = path ?? key.split(' ')[0];
        this.#options.log.error({ path: named, detail: messageOf(error) }, 'a relay of the configuration is left out');
      }
    }
  }

  #stopAll(pushes: Map<StreamPath, Map<string, Relay>>, path: StreamPath): void {
    for (const relay of pushes.get(path)?.values() ?? []) void relay.stop();
    pushes.delete(path);
  }
}
