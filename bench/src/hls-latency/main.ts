// npm run bench -- hls-latency [--seconds 60]; see bench/README.md
import { parseArgs } from 'node:util';
import { surveyCores } from '../cores.js';
import { measureHlsLatency } from '../latency/latency.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
// Encoder and browser need more than the core that pinning would leave them; the server needs next to nothing.
const plan = { ...surveyCores(), pinned: false };
const { late, told, ...found } = await measureHlsLatency({ plan, seconds: Number(values.seconds) });
const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
const HEAD = [
  'pictures/s',
  'p50 ms',
  'p95',
  'most',
  'told by the player, median s',
  'stalls',
  'ms',
  'buffered then s',
  'rate',
  'not read',
];
row(...HEAD);
row(...HEAD.map(() => '---'));
const median = [...told].sort((a, b) => a - b)[Math.floor(told.length / 2)];
row(
  found.picturesPerSecond.toFixed(1),
  ...[late.percentile(0.5), late.percentile(0.95), late.max].map((ms) => ms.toFixed(0)),
  median?.toFixed(2) ?? '',
  ...[
    found.stalls,
    found.stalledMs.toFixed(0),
    found.bufferedAtStalls.map((s) => s.toFixed(1)).join(' '),
    found.mostRate.toFixed(2),
    found.unread,
  ],
);
