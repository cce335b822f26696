import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SrtSocket, srtCall } from '@sluice/srt';
import { type CorePlan, pinServer } from '../cores.js';
import { usageOf } from '../proc-stat.js';
import { makeFolder } from '../targets/launch.js';
import { SERVER_ARGS } from '../targets/server-command.js';
import { freeUdpPort } from './relay-cost.js';
import type { DuePayload } from './ts-clip.js';

/** What many publishers cost one server. */
export interface PublishersRow {
  readonly publishers: number;
  readonly mbps: number;
  /** Share of one core. */
  readonly cpu: number;
  readonly cpuSecondsPerGbit: number;
  readonly residentMib: number;
  /** Payloads that the server had to pass over, and gaps in the TS packets' counters. */
  readonly dropped: number;
  readonly continuityErrors: number;
  /** Share of the load's core that the load itself took. */
  readonly loadCpu: number;
}

interface GoneLine {
  readonly msg: string;
  readonly pktRcvDrop?: number;
  readonly continuityErrors?: number;
}

const HOST = '127.0.0.1';
const WARM_UP_MS = 4000;
const GOP_MS = 2000;
const STEP_MS = 2;

/** Publishes a clip so many times at once to a server on its core; none begins with another one. */
export async function measurePublishers(
  clip: readonly DuePayload[],
  { publishers, seconds, plan }: { publishers: number; seconds: number; plan: CorePlan },
): Promise<PublishersRow> {
  const folder = await makeFolder('srt');
  const port = await freeUdpPort();
  const server = startServer(plan, port, folder);
  const gone: GoneLine[] = [];
  const lines = createInterface({ input: server.stdout ?? process.stdin });
  const started = new Promise<void>((done) => {
    lines.on('line', (line) => {
      const fields = parse(line);
      if (fields.msg === 'SRT publisher is gone') gone.push(fields);
      if (fields.msg === 'Sluice is ready') done();
    });
  });
  try {
    await Promise.race([started, failed(server)]);
    const sockets = await connectAll(port, publishers);
    const abort = new AbortController();
    const feeding = publish(clip, sockets, abort.signal);
    await sleep(WARM_UP_MS);
    const [before, own] = [measure(server, sockets), process.cpuUsage()];
    await sleep(seconds * 1000);
    const [after, ownAfter] = [measure(server, sockets), process.cpuUsage(own)];
    const spent = (after.at - before.at) / 1000;
    abort.abort();
    await feeding;
    for (const socket of sockets) socket.close('done');
    while (gone.length < publishers) await sleep(50);
    const gbit = ((after.bytes - before.bytes) * 8) / 1e9;
    return {
      publishers,
      mbps: (gbit * 1000) / spent,
      cpu: (after.cpu - before.cpu) / spent,
      cpuSecondsPerGbit: (after.cpu - before.cpu) / gbit,
      residentMib: after.residentMib,
      dropped: gone.reduce((sum, { pktRcvDrop = 0 }) => sum + pktRcvDrop, 0),
      continuityErrors: gone.reduce((sum, { continuityErrors = 0 }) => sum + continuityErrors, 0),
      loadCpu: (ownAfter.user + ownAfter.system) / 1e6 / spent,
    };
  } finally {
    const exited = once(server, 'exit');
    if (server.exitCode === null) server.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
}

function startServer(plan: CorePlan, port: number, folder: string): ChildProcess {
  const [program = '', ...args] = [...pinServer(plan), process.execPath, ...SERVER_ARGS, 'serve'];
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    SLUICE_RTMP_PORT: '0',
    SLUICE_HTTP_PORT: '0',
    SLUICE_API_PORT: '0',
    SLUICE_SRT_PORT: String(port),
    SLUICE_WEBRTC_ENABLED: 'false',
    SLUICE_LOG_FORMAT: 'json',
  };
  return spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the server ended with ${code}`);
}

function parse(line: string): GoneLine {
  try {
    return JSON.parse(line) as GoneLine;
  } catch {
    return { msg: line };
  }
}

async function connectAll(port: number, count: number): Promise<SrtSocket[]> {
  const sockets: SrtSocket[] = [];
  for (let at = 0; at < count; at++) {
    const socket = await srtCall({ host: HOST, port, streamId: `publish:live/bench-${at}` });
    socket.serve({ payload: () => undefined, closed: () => undefined });
    sockets.push(socket);
  }
  return sockets;
}

/** In real time, round after round; each publisher is a little behind the one before. */
async function publish(clip: readonly DuePayload[], sockets: readonly SrtSocket[], signal: AbortSignal): Promise<void> {
  const began = performance.now();
  const next = sockets.map(() => 0);
  while (!signal.aborted) {
    const elapsed = performance.now() - began;
    for (const [at, socket] of sockets.entries()) {
      const due = elapsed - (at * GOP_MS) / sockets.length;
      for (;;) {
        const payload = clip[next[at] ?? 0];
        if (payload === undefined || payload.ms > due) break;
        socket.send(payload.bytes);
        next[at] = (next[at] ?? 0) + 1;
      }
    }
    await sleep(STEP_MS);
  }
}

function measure(server: ChildProcess, sockets: readonly SrtSocket[]) {
  const { cpuSeconds, residentMib } = usageOf([server.pid ?? 0]);
  const bytes = sockets.reduce((sum, socket) => sum + socket.statistics().byteSent, 0);
  return { at: performance.now(), cpu: cpuSeconds, residentMib, bytes };
}
