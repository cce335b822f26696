// npm run bench:srt -- [--mbps 100] [--seconds 10] [--publishers 100] [--profile FOLDER]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pinSelf, surveyCores } from '../cores.js';
import { ensureClip } from '../source-clip.js';
import { measurePublishers } from './publishers.js';
import { type Direction, measureRelay, type Relay } from './relay-cost.js';
import { tsClip } from './ts-clip.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const DIRECTIONS: readonly Direction[] = ['receive', 'send'];
const RELAYS: readonly Relay[] = ['srt-live-transmit', 'sluice'];

const { values } = parseArgs({
  options: {
    mbps: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    publishers: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    profile: { type: 'string' },
  },
});
const [mbps, seconds, publishers, rounds] = [values.mbps, values.seconds, values.publishers, values.rounds].map(Number);
if (mbps === undefined || seconds === undefined || publishers === undefined || rounds === undefined) process.exit(2);

const plan = surveyCores();
pinSelf(plan);
console.log(
  '| relay | direction | Mbit/s | CPU s/Gbit | of srt-live-transmit | lost |\n| --- | --- | --- | --- | --- | --- |',
);
for (const direction of DIRECTIONS) {
  let [theirs, ours] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    for (const relay of RELAYS) {
      const row = await measureRelay(relay, direction, { mbps, seconds, plan, profileFolder: values.profile });
      if (relay === 'sluice') ours += row.cpuSecondsPerGbit;
      else theirs += row.cpuSecondsPerGbit;
      const share = relay === 'sluice' ? (ours / theirs).toFixed(2) : '1';
      const figures = [row.mbps.toFixed(0), row.cpuSecondsPerGbit.toFixed(2), share, row.lost];
      console.log(`| ${[relay, direction, ...figures].join(' | ')} |`);
    }
  }
}
if (publishers > 0) {
  const row = await measurePublishers(await tsClip(await ensureClip(CACHE)), { publishers, seconds, plan });
  const { cpu, cpuSecondsPerGbit, residentMib, dropped, continuityErrors, loadCpu } = row;
  console.log(
    '\n| publishers | Mbit/s | CPU of one core | CPU s/Gbit | MiB | dropped | continuity errors | load CPU |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  const figures = [row.mbps.toFixed(0), cpu.toFixed(2), cpuSecondsPerGbit.toFixed(2), residentMib.toFixed(0)];
  console.log(`| ${[publishers, ...figures, dropped, continuityErrors, loadCpu.toFixed(2)].join(' | ')} |`);
}
