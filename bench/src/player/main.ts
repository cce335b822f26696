// npm run bench -- player [--rounds 10] [--gop 1,2]; see bench/README.md
import { parseArgs } from 'node:util';
import { surveyCores } from '../cores.js';
import { FIRST_FRAME_PROTOCOLS, measureFirstFrames } from './first-frame.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, gop: { type: 'string', default: '1,2' } },
});
// Encoder and browser need more than the core that pinning would leave them.
const plan = { ...surveyCores(), pinned: false };
const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
const HEAD = ['keyframe each', 'protocol', 'first frame after', 'p50 ms', 'p90', 'most'];
row(...HEAD);
row(...HEAD.map(() => '---'));
for (const gopSeconds of values.gop.split(',').map(Number)) {
  const found = await measureFirstFrames({ plan, gopSeconds, rounds: Number(values.rounds) });
  for (const protocol of FIRST_FRAME_PROTOCOLS) {
    for (const [since, times] of Object.entries(found[protocol])) {
      const sorted = [...times].sort((a, b) => a - b);
      const at = (share: number) =>
        (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
      row(`${gopSeconds} s`, protocol, since, at(0.5), at(0.9), at(1));
    }
  }
}
