import {
  type Clock,
  type EventBus,
  type LiveConfig,
  messageOf,
  type PullSettings,
  pullFor,
  RelayUrl,
  type StreamPath,
  settingsFor,
  tryParseStreamPath,
} from '@sluice/core';
import { Push, type PushContext } from '@sluice/delivery';
import { OnDemandPulls, Pull, type PullContext } from '@sluice/ingest';
import { parseRtmpUrl } from '@sluice/rtmp';
import { readSrtUrl } from '@sluice/srt';

export interface RelaysOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly pull: PullContext;
  readonly push: PushContext;
}

interface Relay {
  stop(): Promise<void>;
}

/** Streams that the configuration takes from elsewhere, and gives there. They follow it while the server runs. */
export class Relays {
  /** Those that are taken from elsewhere when somebody wants them. */
  readonly onDemand: OnDemandPulls;
  readonly #options: RelaysOptions;
  /** By path and what is configured there. */
  readonly #pulls = new Map<string, Relay>();
  readonly #pushes = new Map<StreamPath, Map<string, Relay>>();
  readonly #stopListening: readonly (() => void)[];

  constructor(options: RelaysOptions) {
    this.#options = options;
    const { live, clock, events, pull } = options;
    this.onDemand = new OnDemandPulls({ ...pull, clock, settingsFor: (path) => pullFor(live.current, path) });
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

  async close(reason: string): Promise<void> {
    for (const stop of this.#stopListening) stop();
    const pushes = [...this.#pushes.values()].flatMap((relays) => [...relays.values()]);
    const relays = [...this.#pulls.values(), ...pushes];
    this.#pulls.clear();
    this.#pushes.clear();
    await Promise.all([this.onDemand.close(reason), ...relays.map((relay) => relay.stop())]);
  }

  #follow(): void {
    const { live, pull } = this.#options;
    const wanted = new Map<string, { path: StreamPath; settings: PullSettings }>();
    for (const pattern of Object.keys(live.current.paths)) {
      const path = tryParseStreamPath(pattern.replaceAll('*', 'x'));
      const settings = path && pullFor(live.current, path);
      if (path === undefined || settings === undefined || !this.#isUsable(pattern, settings.url)) continue;
      if (settings.mode !== 'always') continue;
      wanted.set(`${path} ${settings.url.reveal()} ${settings.stallSeconds}`, { path, settings });
    }
    this.#reconcile(this.#pulls, wanted, ({ path, settings: { url, stallSeconds } }) => {
      return new Pull({ ...pull, path, url: () => url, stallMs: stallSeconds * 1000 });
    });
    this.onDemand.follow();
    for (const { path } of pull.router.streams()) this.#followPushes(path);
  }

  #followPushes(path: StreamPath): void {
    const { live, push } = this.#options;
    const relays = this.#pushes.get(path) ?? new Map<string, Relay>();
    // Of a cluster, the node pushes a stream where it comes in.
    const isElsewhere = push.router.publisherOf(path)?.node !== undefined;
    const templates = isElsewhere ? [] : settingsFor(live.current, path).push.urls;
    const urls = templates.flatMap((template) => RelayUrl.of(template, path) ?? []);
    const wanted = new Map(urls.map((url) => [url.reveal(), url]));
    for (const [key, url] of wanted) if (!relays.has(key) && !this.#isUsable(path, url)) wanted.delete(key);
    this.#reconcile(relays, wanted, (url) => new Push({ ...push, path, url }));
    if (relays.size > 0) this.#pushes.set(path, relays);
    else this.#pushes.delete(path);
  }

  /** What can never work is said once, and not tried again and again. */
  #isUsable(path: string, url: RelayUrl): boolean {
    try {
      checkRelayUrl(url);
      return true;
    } catch (error) {
      const detail = url.redact(messageOf(error));
      this.#options.pull.log.error({ path, to: url.name, detail }, 'a relay of the configuration is left out');
      return false;
    }
  }

  #reconcile<T>(relays: Map<string, Relay>, wanted: ReadonlyMap<string, T>, begin: (what: T) => Relay): void {
    for (const [key, relay] of relays) {
      if (wanted.has(key)) continue;
      relays.delete(key);
      void relay.stop();
    }
    for (const [key, what] of wanted) if (!relays.has(key)) relays.set(key, begin(what));
  }

  #stopAll(pushes: Map<StreamPath, Map<string, Relay>>, path: StreamPath): void {
    for (const relay of pushes.get(path)?.values() ?? []) void relay.stop();
    pushes.delete(path);
  }
}

/** @throws {SrtError} or {RtmpError} saying what is wrong with it */
function checkRelayUrl(url: RelayUrl): void {
  if (url.scheme === 'srt') readSrtUrl(url.reveal());
  if (url.scheme === 'rtmp' || url.scheme === 'rtmps') parseRtmpUrl(url.reveal());
}
