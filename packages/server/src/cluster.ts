import { hostname } from 'node:os';
import { ClusterStreams, NatsLink, type RelayOutput, relayOutputKind } from '@sluice/cluster';
import {
  type Clock,
  type EventBus,
  type LiveConfig,
  type Logger,
  type OutputKind,
  type RenditionDirectory,
  renditionOf,
  type SessionRegistry,
  type StreamRouter,
  settingsFor,
} from '@sluice/core';
import { millis } from '@sluice/media';

export interface ClusterOptions {
  readonly live: LiveConfig;
  readonly router: StreamRouter;
  readonly registry: SessionRegistry;
  /** This node's own. */
  readonly renditions: RenditionDirectory;
  /** The one kind of relay of this process. */
  readonly relay: OutputKind<RelayOutput>;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Lines that fall behind are treated like viewers that do. */
const SKIP_WINDOW = millis(60_000);

/** What takes streams to other processes, whether workers or nodes: each is packed once for all of them. */
export function relayKind(live: LiveConfig, clock: Clock): OutputKind<RelayOutput> {
  let streams = 0;
  const { maxSkips, maxStallSeconds } = live.current.viewers;
  return relayOutputKind({
    nextStream: () => ++streams,
    now: clock.monotonic,
    limits: { maxSkips, maxStall: millis(maxStallSeconds * 1000), skipWindow: SKIP_WINDOW },
  });
}

/** This node in its cluster. */
export class Cluster {
  /** This node's name. */
  readonly node: string;
  readonly link: NatsLink;
  readonly streams: ClusterStreams;

  private constructor({ live, router, registry, renditions, relay, events, clock, log }: ClusterOptions) {
    const { cluster } = live.current;
    this.node = cluster.node ?? hostname();
    this.link = new NatsLink({ settings: cluster.nats, name: `sluice ${this.node}`, log, random: Math.random });
    this.streams = new ClusterStreams({
      ...{ link: this.link, node: this.node, namespace: cluster.namespace, replicas: cluster.replicas },
      ...{ router, events, clock, log, renditions, sessions: registry, kind: relay },
      sourceOf: (path) => renditionOf(live.current, path)?.source,
      leaseMs: cluster.leaseSeconds * 1000,
      mayReplace: (path) => settingsFor(live.current, path).publish.takeover === 'replace',
    });
  }

  /** @returns undefined where the configuration names no cluster */
  static join(options: ClusterOptions): Cluster | undefined {
    return options.live.current.cluster.nats.servers.length === 0 ? undefined : new Cluster(options);
  }

  async close(): Promise<void> {
    await this.streams.close();
    await this.link.close();
  }
}
