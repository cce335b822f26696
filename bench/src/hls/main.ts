// npm run bench -- hls [options]; see bench/README.md
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pinSelf, surveyCores } from '../cores.js';
import type { Histogram } from '../histogram.js';
import { ensureClip } from '../source-clip.js';
import { summariseProfile } from '../webrtc/profile-summary.js';
import { measureHls } from './fan-out.js';
import type { ViewerKind } from './viewer.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));

const { values } = parseArgs({
  options: {
    viewers: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '15' },
    kinds: { type: 'string', default: 'low-latency,plain' },
    profile: { type: 'string' },
  },
});

const plan = surveyCores();
const clip = await ensureClip(CACHE, '1M');
pinSelf(plan);
const profiles: string[] = [];
const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
const HEAD = [
  ...[
    'HLS',
    'viewers',
    'Mbit/s each',
    'CPU of one core',
    'µs/s a viewer',
    'µs an answer',
    'part p50 ms',
    'p99',
    'most',
  ],
  ...['playlist p50 ms', 'p99', 'parts', 'playlists made', 'missing', 'too late', '404', 'lost', 'longest turn ms'],
  ...['MiB', 'waited', 'load CPU'],
];
row(...HEAD);
row(...HEAD.map(() => '---'));
for (const viewers of values.viewers.split(',').map(Number)) {
  for (const kind of values.kinds.split(',') as ViewerKind[]) {
    const profile = await profileFile(`hls-${kind}-${viewers}`);
    if (profile !== undefined) profiles.push(profile);
    const found = await measureHls(kind, { plan, clip, viewers, seconds: Number(values.seconds), profile });
    const { partLate, playlistLate } = found;
    row(
      ...[kind, viewers, found.mbpsEach.toFixed(2), found.cpu.toFixed(2), ((found.cpu / viewers) * 1e6).toFixed(0)],
      found.microsPerAnswer.toFixed(1),
      ...[millis(partLate, 0.5), millis(partLate, 0.99), millis(partLate, 1)],
      ...[millis(playlistLate, 0.5), millis(playlistLate, 0.99)],
      ...[found.parts, found.renderings, found.missing, found.tooLate, found.missed, found.failed],
      ...[found.mostTurnMs.toFixed(0), found.residentMib.toFixed(0), found.waited.toFixed(2), found.loadCpu.toFixed(2)],
    );
    if (found.reason !== undefined) console.error(`viewers were lost: ${found.reason}`);
  }
}
for (const profile of profiles) console.log(`\n${profile}\n\n${await summariseProfile(profile)}`);

function millis(late: Histogram, fraction: number): string {
  return late.count === 0 ? '' : (late.percentile(fraction) / 1000).toFixed(1);
}

/** Where a CPU profile goes, where one is asked for. */
async function profileFile(name: string): Promise<string | undefined> {
  if (values.profile === undefined) return undefined;
  await mkdir(values.profile, { recursive: true });
  return resolve(join(values.profile, `${name}.cpuprofile`));
}
