// npm run bench -- recording [options]; see bench/README.md
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pinSelf, surveyCores } from '../cores.js';
import { ensureClip, readClip } from '../source-clip.js';
import { summariseProfile } from '../webrtc/profile-summary.js';
import { FFMPEG_KINDS, type FfmpegKind, measureFfmpeg } from './ffmpeg-recorders.js';
import { shareOf } from './profile-share.js';
import { measureServerCost, type RecordedCost, type ServerCost } from './server-cost.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    /** `none` records nothing. */
    containers: { type: 'string', default: 'none,mp4' },
    /** How many `ffmpeg -c copy`; 0 leaves them out. */
    ffmpeg: { type: 'string', default: '20' },
    profile: { type: 'string' },
  },
});

const plan = surveyCores();
const clip = await readClip(await ensureClip(CACHE, '1M'));
pinSelf(plan);
const [streams, seconds] = [Number(values.streams), Number(values.seconds)];
const profiles: string[] = [];
const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);

const NONE = 'none';
/** Where its code is. */
const RECORDER = 'packages/storage/dist/recorder/';
head(
  ...['recorded', 'streams', 's', 'Mbit/s each', 'CPU of one core', 'main', 'disk thread', 'others'],
  ...['recorder, ms/s a stream', 'loop late p99 ms', 'max', 'own work', 'MiB by sixths of the time'],
  ...['waited for it', 'load late ms', 'load CPU'],
);
const costs = new Map<string, ServerCost>();
for (const name of values.containers.split(',')) {
  const profile = await profileFile(`recording-${name}-${streams}`);
  if (profile !== undefined) profiles.push(profile);
  const container = name === NONE ? undefined : name;
  const cost = await measureServerCost({ plan, clip, streams, seconds, container, profile });
  costs.set(name, cost);
  tellServer(name, cost);
}
for (const [name, { recorded }] of costs) if (recorded !== undefined) tellFiles(name, recorded);
if (Number(values.ffmpeg) > 0) await tellFfmpeg(Number(values.ffmpeg));
console.log(
  `\nload average ${loadavg()
    .map((load) => load.toFixed(1))
    .join(', ')}`,
);
for (const profile of profiles) {
  const share = ((await shareOf(profile, RECORDER)) * 100).toFixed(1);
  console.log(`\n${profile}: ${share} % of the main thread's time is the recorder's\n`);
  console.log(await summariseProfile(profile));
}

function tellServer(name: string, cost: ServerCost): void {
  const base = costs.get(NONE);
  const { threads, watch, memory } = cost;
  const own = base === undefined || name === NONE ? '' : (((cpuOf(cost) - cpuOf(base)) * 1000) / streams).toFixed(2);
  row(
    ...[name, streams, seconds, cost.mbpsEach.toFixed(2), cpuOf(cost).toFixed(3), threads.main.toFixed(3)],
    ...[name === NONE ? '' : threads.writer.toFixed(3), threads.others.toFixed(3), own],
    ...[watch.p99Ms, watch.maxMs, watch.mostCpuMs].map((ms) => ms.toFixed(1)),
    memory.map((mib) => mib.toFixed(0)).join(' '),
    ...[cost.waited.toFixed(2), cost.lateMs.toFixed(0), cost.loadCpu.toFixed(2)],
  );
}

function tellFiles(name: string, recorded: RecordedCost): void {
  const { flush, files, bytes, allocated, faults, finishSeconds, finishWatch } = recorded;
  console.log('');
  head(
    ...[name, 'files', 'MB', 'MB on the disk', 'with faults', 'finished after s', 'loop late p99 ms', 'max'],
    ...['fragments', 'on the disk p50 ms', 'p99', 'max', 'MB waiting at most', 'failed'],
  );
  row(
    ...['', files, (bytes / 1e6).toFixed(0), (allocated / 1e6).toFixed(0), faults.length, finishSeconds.toFixed(1)],
    ...[finishWatch?.p99Ms.toFixed(1) ?? '', finishWatch?.maxMs.toFixed(1) ?? '', flush.appends],
    ...[flush.p50Ms.toFixed(0), flush.p99Ms.toFixed(0), flush.maxMs.toFixed(0)],
    ...[(flush.mostWaiting / 1e6).toFixed(1), flush.failed],
  );
  for (const fault of faults.slice(0, 10)) console.error(fault);
}

async function tellFfmpeg(recorders: number): Promise<void> {
  console.log('');
  head('ffmpeg -c copy', 'recorders', 'CPU of each, ms/s', 'MiB of each');
  for (const kind of Object.keys(FFMPEG_KINDS) as FfmpegKind[]) {
    const cost = await measureFfmpeg(kind, { plan, clip, streams: recorders, seconds: Math.min(seconds, 60) });
    row(kind, cost.recorders, cost.cpuMsEach.toFixed(2), cost.residentMibEach.toFixed(0));
  }
}

function cpuOf({ threads: { main, writer, others } }: ServerCost): number {
  return main + writer + others;
}

function head(...names: string[]): void {
  row(...names);
  row(...names.map(() => '---'));
}

/** Where a CPU profile goes, where one is asked for. */
async function profileFile(name: string): Promise<string | undefined> {
  if (values.profile === undefined) return undefined;
  await mkdir(values.profile, { recursive: true });
  return resolve(join(values.profile, `${name}.cpuprofile`));
}
