// npm run bench -- cluster [--streams 40] [--edges 0,1,3] [--seconds 15] | [--tree]; see bench/README.md
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { surveyCores } from '../cores.js';
import { ensureClip, readClip } from '../source-clip.js';
import { measureCluster } from './cluster-cost.js';
import { simulateTree, type TreeCosts } from './fan-out-tree.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));

/** As measured; see packages/cluster/SCALING.md. A viewer is one of HTTP-FLV, as in RESULTS.md. */
const COSTS: TreeCosts = { origin: 0.0016, natsIn: 0.0013, natsOut: 0.00024, edge: 0.0027, viewer: 0.000146 };

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '40' },
    edges: { type: 'string', default: '0,1,3' },
    seconds: { type: 'string', default: '15' },
    /** Works out what a large cluster carries, and measures nothing. */
    tree: { type: 'boolean', default: false },
  },
});
const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
const head = (...names: string[]) => {
  row(...names);
  row(...names.map(() => '---'));
};
if (values.tree) tellTrees();
else await measure();

async function measure(): Promise<void> {
  const [streams, seconds] = [Number(values.streams), Number(values.seconds)];
  const clip = await readClip(await ensureClip(CACHE, '1M'));
  const cpu = ['origin CPU', 'NATS CPU', 'CPU of an edge'];
  head('edges', 'streams', 'Mbit/s in', ...cpu, 'MiB of an edge', 'arrived', 'load average');
  for (const edges of values.edges.split(',').map(Number)) {
    const cost = await measureCluster({ plan: surveyCores(), clip, streams, edges, seconds });
    const each = edges === 0 ? 0 : cost.edge / edges;
    const figures = [cost.mbps.toFixed(0), cost.origin.toFixed(3), cost.nats.toFixed(3), each.toFixed(3)];
    row(edges, streams, ...figures, cost.edgeMib.toFixed(0), cost.arrived.toFixed(3), loadavg()[0]?.toFixed(1) ?? '');
  }
}

/** A million viewers, of one stream or of many. */
function tellTrees(): void {
  const common = { viewers: 1_000_000, regions: 5, mbps: 2.13, edgeMbps: 8000, natsMbps: 8000, costs: COSTS };
  const cases = [
    { streams: 1, skew: 0, placement: 'anywhere' },
    { streams: 100, skew: 1, placement: 'anywhere' },
    { streams: 100, skew: 1, placement: 'by-stream' },
    { streams: 10_000, skew: 1, placement: 'anywhere' },
    { streams: 10_000, skew: 1, placement: 'by-stream' },
  ] as const;
  const traffic = ['origins to NATS', 'between regions', 'NATS to edges'].map((way) => `${way}, Mbit/s`);
  const cores = ['origins', 'NATS', 'edges', 'the busiest edge'].map((whose) => `cores of ${whose}`);
  head('streams', 'viewers are', 'edges', 'NATS servers', 'streams × edges', ...traffic, ...cores);
  for (const each of cases) {
    const load = simulateTree({ ...common, ...each, random: Math.random });
    const ways = [load.originMbps, load.betweenRegionsMbps, load.natsOutMbps].map((mbps) => mbps.toFixed(0));
    const busy = [load.originCores, load.natsCores, load.edgeCores, load.coresOfAnEdge].map((used) => used.toFixed(1));
    row(each.streams, each.placement, load.edges, load.natsServers, load.subscriptions, ...ways, ...busy);
  }
}
