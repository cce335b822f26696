import type { ClusterTraffic, ClusterView } from '@sluice/core';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What this server knows of its cluster; of a server by itself there is nothing to tell. */
export function addClusterMetrics(registry: Registry, cluster: () => ClusterView): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (view: ClusterView) => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const view = cluster();
        if (view.state === 'none') this.remove();
        else this.set(value(view));
      },
    });
  };
  gauge('sluice_cluster_connected', 'Whether the node is connected to NATS.', ({ state }) =>
    state === 'connected' ? 1 : 0,
  );
  gauge('sluice_cluster_elected', 'Whether this node does what one does for all.', ({ isElected }) =>
    isElected ? 1 : 0,
  );
  gauge('sluice_cluster_remote_sessions', 'Sessions on the other nodes.', (view) =>
    view
      .nodes()
      .slice(1)
      .reduce((sum, { sessions }) => sum + sessions, 0),
  );
  new Gauge({
    name: 'sluice_cluster_nodes',
    help: 'Nodes of the cluster, this one among them, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      const view = cluster();
      if (view.state === 'none') return;
      const nodes = view.nodes();
      for (const state of ['serving', 'draining', 'lost'] as const) {
        this.set({ state }, nodes.filter((node) => node.state === state).length);
      }
    },
  });
}

/** Streams on their way between nodes. @param traffic undefined for a server by itself */
export function addClusterTraffic(registry: Registry, traffic: () => ClusterTraffic | undefined): void {
  const registers = [registry];
  const gauge = (name: string, help: string, value: (of: ClusterTraffic) => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const now = traffic();
        if (now === undefined) this.remove();
        else this.set(value(now));
      },
    });
  };
  gauge('sluice_cluster_fetched_streams', 'Streams of other nodes that are watched here.', ({ fetched }) => fetched);
  gauge('sluice_cluster_wanted_streams', 'Streams of this node that other nodes want.', ({ streams }) => streams);
  gauge('sluice_cluster_wanting_nodes', 'How often they are wanted.', ({ edges }) => edges);
  new Counter({
    name: 'sluice_cluster_sent_bytes_total',
    help: 'Media sent to NATS.',
    registers,
    collect() {
      this.reset();
      this.inc(traffic()?.sentBytes ?? 0);
    },
  });
}
