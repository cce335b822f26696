import { hostname } from 'node:os';
import { join } from 'node:path';
import { ClusterControl, PendingChanges, ProcessMeter, type RemoteSessions, type StreamFacts } from '@sluice/cluster';
import {
  type Clock,
  type ClusterNode,
  type ClusterView,
  type Drain,
  type EventBus,
  type Gate,
  type LiveConfig,
  type Logger,
  type SessionRegistry,
  type StreamRouter,
  streamHealth,
} from '@sluice/core';
import type { Accounts } from '../accounts.js';
import type { Cluster } from '../cluster.js';
import type { ConfigChanges } from '../config-changes.js';
import { VERSION } from '../version.js';
import { sharedKinds } from './shared-kinds.js';

export interface ClusterParts {
  readonly live: LiveConfig;
  readonly changes: ConfigChanges;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly registry: SessionRegistry;
  readonly remote: RemoteSessions;
  readonly accounts: Accounts;
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly drain: Drain;
  readonly dir: string;
  readonly serverId: string;
}

/** What this node has in common with the others of its cluster. */
export function makeClusterControl({ link, node }: Cluster, parts: ClusterParts): ClusterControl {
  const { live, changes, clock, events, log, registry, remote, accounts, gate, router, drain } = parts;
  const { namespace, leaseSeconds, replicas } = live.current.cluster;
  return new ClusterControl({
    ...{ link, clock, events, log, registry, remote, namespace, leaseSeconds, replicas },
    limits: () => live.current.sessions,
    node: { id: parts.serverId, name: node, version: VERSION, since: clock.wall() },
    urls: () => live.current.cluster.advertise,
    state: () => (drain.isOn ? 'draining' : 'serving'),
    streams: () => streamFacts(router, registry),
    kinds: sharedKinds(accounts, changes),
    pending: new PendingChanges(join(parts.dir, 'cluster-pending.json'), log),
    onAdopted: recheckSoon(gate),
  });
}

/** What others change comes in numbers, and each look at all sessions takes its time. */
const RECHECK_MS = 50;

function recheckSoon(gate: Gate): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      gate.recheck();
    }, RECHECK_MS).unref();
  };
}

/** What other nodes are told of the streams that are on this one. */
function streamFacts(router: StreamRouter, registry: SessionRegistry): StreamFacts[] {
  return router.streams().map((stream): StreamFacts => {
    const publisher = router.publisherOf(stream.path);
    const { state, hasBFrames, figures } = stream;
    const { bytes, frames } = stream.received;
    const { tracks } = stream.description;
    return {
      path: stream.path,
      // What is relayed from another node has a session there.
      isOrigin: publisher !== undefined && registry.get(publisher.id) !== undefined,
      state,
      since: stream.startedAt,
      viewers: stream.viewers,
      received: { bytes, frames },
      tracks: tracks.map(({ description: _bytes, ...told }) => told),
      bFrames: hasBFrames,
      figures,
      // Who watches over WebRTC is known to none of the nodes alone.
      health: streamHealth({ state, hasBFrames, figures, tracks, webRtcViewers: 0 }),
    };
  });
}

/** A server by itself, as its API tells of it. */
export function aloneView({
  live,
  registry,
  router,
  drain,
  clock,
  serverId,
}: Pick<ClusterParts, 'live' | 'registry' | 'router' | 'drain' | 'clock' | 'serverId'>): ClusterView {
  const meter = new ProcessMeter();
  const since = clock.wall();
  const node = live.current.cluster.node ?? hostname();
  const itself = (): ClusterNode => ({
    ...{ id: serverId, name: node, role: 'origin', elected: true, version: VERSION, since, urls: [], revision: 0 },
    state: drain.isOn ? 'draining' : 'serving',
    streams: router.streams().length,
    sessions: registry.size,
    ...meter.take(),
  });
  return {
    node,
    state: 'none',
    isElected: true,
    nodes: () => [itself()],
    sessions: () => [],
    sessionCount: 0,
    session: () => undefined,
    streams: () => [],
    cutSession: async () => 'unknown',
    cutPublishers: () => undefined,
  };
}
