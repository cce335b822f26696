// npm run bench -- hls-latency [--seconds 60]; see bench/README.md
import { parseArgs } from 'node:util';
import { pinSelf, surveyCores } from '../cores.js';
import { measureHlsLatency } from '../latency/latency.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const plan = surveyCores();
pinSelf(plan);
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
  ...[found.stalls, found.stalledMs.toFixed(0), found.mostRate.toFixed(2), found.unread],
);
