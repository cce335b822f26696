// npm run bench -- transcode [--seconds 30] [--preset veryfast] [--budget CORES]
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { surveyCores } from '../cores.js';
import { processTree, usageOf } from '../proc-stat.js';
import { freePort, launch, makeFolder } from '../targets/launch.js';
import { SERVER_ARGS } from '../targets/server-command.js';
import { FrameCount } from './frame-count.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const FFMPEG = process.env.FFMPEG_PATH ?? 'ffmpeg';
const STREAM = 'live/bench';
const SECONDS_TO_SETTLE = 8;
/** With noise in it: a test picture alone is too easy. */
const CLIP = [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=30,noise=alls=12:allf=t'],
  ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-t', '20', '-pix_fmt', 'yuv420p'],
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '6M', '-g', '60', '-bf', '2', '-c:a', 'aac', '-f', 'flv'],
];

interface Job {
  readonly state: string;
  readonly pid: number | null;
  readonly cpuReserved: number;
  readonly speed: number | null;
  readonly behindSeconds: number | null;
  readonly dropped: number;
  readonly restarts: number;
  readonly renditions: readonly { readonly name: string; readonly state: string; readonly reason: string | null }[];
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    preset: { type: 'string', default: 'veryfast' },
    budget: { type: 'string', default: String(Math.max(0.5, availableParallelism() - 1)) },
  },
});
const seconds = Number(values.seconds);
const clip = await ensureClip();
const [rtmp, http, api] = [await freePort(), await freePort(), await freePort()];
const folder = await makeFolder('transcode');
const rendition = (height: number, videoBitrate: number) => ({ height, videoBitrate, preset: values.preset });
const renditions = { '720p': rendition(720, 2500), '480p': rendition(480, 1200), '240p': rendition(240, 400) };
const transcode = { mode: 'always', cpuBudget: Number(values.budget), renditions };
const off = { enabled: false };
const config = { rtmp: { port: rtmp }, http: { port: http }, api: { port: api }, srt: off, webrtc: off, transcode };
await writeFile(join(folder, 'sluice.yml'), JSON.stringify(config));
// ffmpeg may have every core, as it would have at work.
const server = await launch(
  { ...surveyCores(), pinned: false },
  { command: process.execPath, args: [...SERVER_ARGS, 'serve'], folder, ports: [rtmp, http, api] },
);
const encoder = spawn(
  FFMPEG,
  [
    '-v',
    'error',
    '-re',
    '-stream_loop',
    '-1',
    '-i',
    clip,
    '-c',
    'copy',
    '-f',
    'flv',
    `rtmp://127.0.0.1:${rtmp}/${STREAM}`,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
try {
  await sleep(SECONDS_TO_SETTLE * 1000);
  const first = await job();
  const counts = new Map([['source', new FrameCount(`http://127.0.0.1:${http}/${STREAM}.flv`)]]);
  for (const { name, state, reason } of first.renditions) {
    if (state === 'live') counts.set(name, new FrameCount(`http://127.0.0.1:${http}/${STREAM}/${name}.flv`));
    else console.log(`${name}: ${state}: ${reason}`);
  }
  const pids = first.pid === null ? [] : processTree(first.pid);
  const [before, began] = [usageOf(pids), performance.now()];
  await sleep(seconds * 1000);
  const [after, elapsed] = [usageOf(pids), (performance.now() - began) / 1000];
  const last = await job();
  console.log('| reserved cores | cores taken | MiB | speed | behind s | left out | restarts |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  const cores = (after.cpuSeconds - before.cpuSeconds) / elapsed;
  const figures = [last.cpuReserved.toFixed(2), cores.toFixed(2), after.residentMib.toFixed(0), last.speed];
  console.log(`| ${[...figures, last.behindSeconds?.toFixed(2), last.dropped, last.restarts].join(' | ')} |\n`);
  console.log('| stream | pictures | longest gap on the timeline ms |\n| --- | --- | --- |');
  for (const [name, count] of counts) {
    console.log(`| ${name} | ${count.pictures} | ${count.longestStepMs} |`);
    count.stop();
  }
} finally {
  encoder.kill('SIGKILL');
  await server.stop();
}

async function job(): Promise<Job> {
  const answer = await fetch(`http://127.0.0.1:${api}/api/v2/transcodes`);
  const { jobs } = (await answer.json()) as { jobs: Job[] };
  const [only] = jobs;
  if (only === undefined) throw new Error('there is no ladder: the stream is not live');
  return only;
}

async function ensureClip(): Promise<string> {
  const path = `${CACHE}/clip-1080p30-6m-v1.flv`;
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  await promisify(execFile)(FFMPEG, ['-y', '-v', 'error', ...CLIP, `${path}.${process.pid}`]);
  await rename(`${path}.${process.pid}`, path);
  return path;
}
