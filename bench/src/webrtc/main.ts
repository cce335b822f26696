// npm run bench -- webrtc [fan-out|joins|latency] [options]; see bench/README.md
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCertificate } from '@sluice/webrtc';
import { pinSelf, surveyCores } from '../cores.js';
import { LATENCY_SOURCES, measureLatency } from '../latency/latency.js';
import { ensureClip } from '../source-clip.js';
import { type FanOutRow, measureFanOut } from './fan-out.js';
import { measureJoins } from './joins.js';
import { summariseProfile } from './profile-summary.js';
import { WHEP_SERVERS, type WhepServerName } from './servers.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const DAY_MS = 86_400_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    viewers: { type: 'string' },
    seconds: { type: 'string' },
    /** Of new sessions a second, or `most`. */
    rate: { type: 'string', default: '50,most' },
    servers: { type: 'string', default: WHEP_SERVERS.join(',') },
    profile: { type: 'string' },
  },
});
const PARTS: Readonly<Record<string, () => Promise<void>>> = { 'fan-out': fanOut, joins, latency };
const [part = 'fan-out'] = positionals;
const run = PARTS[part];
if (run === undefined) throw new Error(`webrtc ${part}: write ${Object.keys(PARTS).join(', ')}`);

const plan = surveyCores();
pinSelf(plan);
const today = Date.now();
const certificate = makeCertificate({
  commonName: 'bench',
  notBefore: new Date(today - DAY_MS),
  notAfter: new Date(today + DAY_MS),
  serial: randomBytes(16),
});
await run();

async function fanOut(): Promise<void> {
  table(
    'server',
    'viewers',
    'joins/s',
    'Mbit/s each',
    'packets/s',
    'CPU of one core',
    'µs a packet',
    'lost',
    'MiB',
    'load CPU',
  );
  const clip = await ensureClip(CACHE);
  const profiles: string[] = [];
  for (const viewers of (values.viewers ?? '50,100,300').split(',').map(Number)) {
    for (const name of values.servers.split(',') as WhepServerName[]) {
      const profile = await profileFile(`${name}-${viewers}`);
      if (profile !== undefined) profiles.push(profile);
      const seconds = Number(values.seconds ?? 10);
      const figures = await measureFanOut(name, { plan, clip, viewers, seconds, certificate, profile });
      row(name, viewers, ...cells(figures));
    }
  }
  for (const profile of profiles) console.log(`\n${profile}\n\n${await summariseProfile(profile)}`);
}

async function joins(): Promise<void> {
  table(
    ...['viewers', 'joins/s', 'failed', 'set-up p50 ms', 'p99', 'loop late p99 ms', 'max', 'own work', 'lost'],
    ...['CPU of one core', 'waited for it', 'load CPU'],
  );
  const clip = await ensureClip(CACHE);
  const [viewers, seconds] = [Number(values.viewers ?? 100), Number(values.seconds ?? 20)];
  for (const rate of values.rate.split(',')) {
    const profile = await profileFile(`joins-${rate}`);
    const options = { plan, clip, viewers, seconds, certificate, profile };
    const figures = await measureJoins(rate === 'most' ? rate : Number(rate), options);
    const times = [figures.setUpMs.p50, figures.setUpMs.p99, figures.p99Ms, figures.maxMs, figures.mostCpuMs].map(
      (ms) => ms.toFixed(1),
    );
    const shares = [figures.cpu, figures.waited, figures.loadCpu].map((share) => share.toFixed(2));
    row(viewers, figures.joinsPerSecond.toFixed(0), figures.failed, ...times, figures.lost, ...shares);
    if (profile !== undefined) console.log(`\n${profile}\n\n${await summariseProfile(profile)}\n`);
  }
}

async function latency(): Promise<void> {
  table('source', 'pictures/s', 'p50 ms', 'p95', 'most', 'jitter buffer ms', 'not read');
  for (const source of LATENCY_SOURCES) {
    const { picturesPerSecond, late, jitterBufferMs, unread } = await measureLatency(source, {
      plan,
      seconds: Number(values.seconds ?? 30),
    });
    const times = [late.percentile(0.5), late.percentile(0.95), late.max].map((ms) => ms.toFixed(0));
    row(source, picturesPerSecond.toFixed(1), ...times, jitterBufferMs.toFixed(0), unread);
  }
}

function cells(figures: FanOutRow): (string | number)[] {
  return [
    figures.joinsPerSecond.toFixed(0),
    figures.mbpsEach.toFixed(2),
    figures.packetsPerSecond.toFixed(0),
    figures.cpu.toFixed(2),
    figures.microsPerPacket.toFixed(2),
    figures.lost,
    figures.residentMib.toFixed(0),
    figures.loadCpu.toFixed(2),
  ];
}

/** Where a CPU profile goes, where one is asked for. */
async function profileFile(name: string): Promise<string | undefined> {
  if (values.profile === undefined) return undefined;
  await mkdir(values.profile, { recursive: true });
  return resolve(join(values.profile, `${name}.cpuprofile`));
}

function table(...names: string[]): void {
  row(...names);
  row(...names.map(() => '---'));
}

function row(...values: (string | number)[]): void {
  console.log(`| ${values.join(' | ')} |`);
}
