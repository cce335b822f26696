// npm run bench -- cluster [--streams 40] [--edges 0,1,3] [--seconds 15]; see bench/README.md
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { surveyCores } from '../cores.js';
import { ensureClip, readClip } from '../source-clip.js';
import { measureCluster } from './cluster-cost.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '40' },
    edges: { type: 'string', default: '0,1,3' },
    seconds: { type: 'string', default: '15' },
  },
});
const [streams, seconds] = [Number(values.streams), Number(values.seconds)];
const clip = await readClip(await ensureClip(CACHE, '1M'));
const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
row(
  'edges',
  'streams',
  'Mbit/s in',
  'origin CPU',
  'NATS CPU',
  'CPU of an edge',
  'MiB of an edge',
  'arrived',
  'load average',
);
row(...Array.from({ length: 9 }, () => '---'));
for (const edges of values.edges.split(',').map(Number)) {
  const cost = await measureCluster({ plan: surveyCores(), clip, streams, edges, seconds });
  const each = edges === 0 ? 0 : cost.edge / edges;
  const figures = [cost.mbps.toFixed(0), cost.origin.toFixed(3), cost.nats.toFixed(3), each.toFixed(3)];
  row(edges, streams, ...figures, cost.edgeMib.toFixed(0), cost.arrived.toFixed(3), loadavg()[0]?.toFixed(1) ?? '');
}
