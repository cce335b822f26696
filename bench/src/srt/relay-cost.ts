import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type SrtSocket, srtCall } from '@sluice/srt';
import { type CorePlan, pinServer } from '../cores.js';
import { processTree, usageOf } from '../proc-stat.js';
import { PAYLOAD_BYTES, steadily } from './steady.js';

export type Direction = 'receive' | 'send';
export type Relay = 'sluice' | 'srt-live-transmit';

/** What a relay cost. */
export interface RelayRow {
  readonly relay: Relay;
  readonly direction: Direction;
  readonly mbps: number;
  readonly cpuSecondsPerGbit: number;
  /** Payloads that went in and did not come out. */
  readonly lost: number;
}

export interface RelayOptions {
  readonly mbps: number;
  readonly seconds: number;
  readonly plan: CorePlan;
  /** Writes a CPU profile of ours there. */
  readonly profileFolder?: string | undefined;
}

const HOST = '127.0.0.1';
const WARM_UP_MS = 2000;
/** Latency of the line: what is under way when the counting ends still comes. */
const SETTLE_MS = 500;
const RELAY = fileURLToPath(new URL('./relay-process.js', import.meta.url));

export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Runs one relay at a steady rate, on a core of its own, and tells its CPU time for what went through. */
export async function measureRelay(relay: Relay, direction: Direction, options: RelayOptions): Promise<RelayRow> {
  const [udpPort, port] = [await freeUdpPort(), await freeUdpPort()];
  const child = startRelay(relay, direction, { udpPort, port }, options);
  const abort = new AbortController();
  try {
    const socket = await patiently(() => srtCall({ host: HOST, port, timeoutMs: 1000 }));
    const traffic = direction === 'receive' ? feedSrt(socket) : feedUdp(socket, udpPort);
    const feeding = steadily(options.mbps, traffic.feed, abort.signal);
    await sleep(WARM_UP_MS);
    const before = { ...traffic.count(), cpu: usageOf(processTree(child.pid ?? 0)).cpuSeconds };
    const began = performance.now();
    await sleep(options.seconds * 1000);
    const after = { ...traffic.count(), cpu: usageOf(processTree(child.pid ?? 0)).cpuSeconds };
    const seconds = (performance.now() - began) / 1000;
    abort.abort();
    await feeding;
    await sleep(SETTLE_MS);
    const { fed, lost } = traffic.count();
    const gbit = ((after.fed - before.fed) * PAYLOAD_BYTES * 8) / 1e9;
    socket.close('done');
    if (fed === 0) throw new Error(`${relay} took nothing`);
    return {
      relay,
      direction,
      mbps: (gbit * 1000) / seconds,
      cpuSecondsPerGbit: (after.cpu - before.cpu) / gbit,
      lost,
    };
  } finally {
    abort.abort();
    await stop(child);
  }
}

interface Traffic {
  feed(count: number): void;
  count(): { readonly fed: number; readonly lost: number };
}

/** Into the relay, over SRT. What got lost on the way, our own sender knows. */
function feedSrt(socket: SrtSocket): Traffic {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 0x47);
  let fed = 0;
  socket.serve({ payload: () => undefined, closed: () => undefined });
  return {
    feed: (count) => {
      for (let at = 0; at < count; at++) if (socket.send(payload)) fed += 1;
    },
    count: () => ({ fed, lost: socket.statistics().pktSndDrop }),
  };
}

/** Into the relay over UDP, and out of it over SRT. */
function feedUdp(socket: SrtSocket, udpPort: number): Traffic {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 0x47);
  const source = createSocket('udp4');
  source.unref();
  let [fed, came] = [0, 0];
  socket.serve({
    payload: () => {
      came += 1;
    },
    closed: () => source.close(),
  });
  return {
    feed: (count) => {
      for (let at = 0; at < count; at++) source.send(payload, udpPort, HOST);
      fed += count;
    },
    count: () => ({ fed, lost: fed - came }),
  };
}

function startRelay(
  relay: Relay,
  direction: Direction,
  { udpPort, port }: { udpPort: number; port: number },
  { plan, profileFolder }: RelayOptions,
): ChildProcess {
  const srt = `srt://${HOST}:${port}?mode=listener`;
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const command =
    relay === 'sluice'
      ? [process.execPath, ...profile, RELAY, direction, ...(direction === 'receive' ? [port] : [udpPort, port])]
      : ['srt-live-transmit', '-q', '-a:no', `-chunk:${PAYLOAD_BYTES}`, ...theirs(direction, srt, udpPort)];
  const [program = '', ...args] = [...pinServer(plan), ...command.map(String)];
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

const theirs = (direction: Direction, srt: string, udpPort: number): string[] =>
  direction === 'receive' ? [srt, 'file://con'] : [`udp://${HOST}:${udpPort}?rcvbuf=4194304`, srt];

/** A relay that has just been started doesn't listen yet. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
