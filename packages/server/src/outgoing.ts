import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { isAbsolute, join, relative, sep } from 'node:path';
import {
  CallbackAdvisor,
  CallbackClient,
  CallbackNotifier,
  derivedStreamId,
  HttpAuthCheck,
  HttpAuthRecheck,
  type Metrics,
  OutboxSender,
  PayPerViewSync,
  RecordingNotifier,
  type ServerNames,
  SharingWatch,
} from '@sluice/api';
import type {
  AuditTrail,
  Bans,
  Clock,
  ClusterView,
  EventBus,
  Gate,
  LiveConfig,
  Logger,
  Outbox,
  SessionRegistry,
  StreamRouter,
} from '@sluice/core';
import { wholeSight } from '@sluice/core';
import { recordingRoot } from './recording-root.js';

export interface OutgoingOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly registry: SessionRegistry;
  readonly outbox: Outbox;
  readonly serverId: string;
  readonly metrics: Metrics | undefined;
}

/** What needs the gate, which needs the rest of this to be there before. */
export interface WatchOptions {
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly bans: Bans;
  readonly audit: AuditTrail;
  readonly cluster: () => ClusterView;
}

/** All that asks or tells others over HTTP: callbacks, authentication, pay-per-view. */
export class Outgoing {
  readonly advisor: CallbackAdvisor;
  readonly httpAuth: HttpAuthCheck;
  readonly names: ServerNames;
  readonly #options: OutgoingOptions;
  readonly #client: CallbackClient;
  readonly #sender: OutboxSender;
  readonly #notifier: CallbackNotifier;
  readonly #recordings: RecordingNotifier;
  readonly #recheck: HttpAuthRecheck;
  readonly #watches: { close(): Promise<void> | void }[] = [];

  constructor(options: OutgoingOptions) {
    const { live, clock, events, log, registry, outbox, serverId, metrics } = options;
    this.#options = options;
    const serviceId = randomBytes(4).toString('hex');
    this.names = { serverId, serviceId, streamId: (path) => derivedStreamId(serviceId, path) };
    const { names } = this;
    const client = new CallbackClient({ clock });
    this.#client = client;
    const settings = () => live.current.callbacks;
    this.#sender = new OutboxSender({ outbox, client, settings, clock, log });
    this.#notifier = new CallbackNotifier({ events, settings, sender: this.#sender, names, clock });
    const root = recordingRoot(live.current);
    const placeOf = ({ file }: { readonly file: string }) => placeOnDisk(join(root, file));
    this.#recordings = new RecordingNotifier({ events, settings, sender: this.#sender, names, clock, placeOf });
    this.advisor = new CallbackAdvisor({
      client,
      settings,
      notifier: this.#notifier,
      names,
      clock,
      log,
      observe: (hook, outcome, seconds) => metrics?.observeCallback(hook, outcome, seconds),
    });
    const authSettings = () => live.current.auth.http;
    this.httpAuth = new HttpAuthCheck({ client, settings: authSettings, log });
    this.#recheck = new HttpAuthRecheck({ registry, check: this.httpAuth, settings: authSettings, clock, log });
  }

  /** Takes up what an earlier run left to be told, and begins to watch over what is open. */
  async start({ gate, router, bans, audit, cluster }: WatchOptions): Promise<void> {
    const { live, clock, events, log } = this.#options;
    const registry = wholeSight(this.#options.registry, cluster);
    const shared = { registry, isElected: () => cluster().isElected, bans, audit, clock, log };
    this.#watches.push(
      new PayPerViewSync({
        ...shared,
        settings: () => live.current.sync,
        client: this.#client,
        gate,
        hostName: hostname(),
      }),
      new SharingWatch({ ...shared, settings: () => live.current.sharing, events }),
      {
        close: events.on('hls-segment', ({ path, ...segment }) => {
          const publisher = router.publisherOf(path);
          if (publisher === undefined) return;
          this.#notifier.hlsSegment(publisher, { ...segment, file: '', playlistFile: '', cwd: process.cwd() });
        }),
      },
    );
    await this.#sender.start();
  }

  /** Lets what is under way end; what hasn't been told by then is told after the next start. */
  async close(): Promise<void> {
    for (const watch of this.#watches) await watch.close();
    await this.#recheck.close();
    this.#notifier.close();
    this.#recordings.close();
    await this.#sender.close();
    await this.#client.close();
  }
}

/** As SRS tells of files: from the working directory on, where they are below it. */
function placeOnDisk(file: string): { readonly file: string; readonly cwd: string } {
  const cwd = process.cwd();
  const from = relative(cwd, file);
  const isBelow = !isAbsolute(from) && from.split(sep)[0] !== '..';
  return { file: isBelow ? `./${from}` : file, cwd };
}
