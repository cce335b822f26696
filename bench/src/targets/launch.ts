import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CorePlan, pinServer } from '../cores.js';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 25;
const LOG_TAIL = 2000;
const HOST = '127.0.0.1';

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its working folder; it is removed when the server has stopped. */
  readonly folder: string;
  /** It is up when all of these accept connections. */
  readonly ports: readonly number[];
}

export interface Launched {
  readonly pid: number;
  stop(): Promise<void>;
}

export function makeFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `sluice-bench-${name}-`));
}

/** A TCP port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a server on its core and waits until it listens. Its output goes to a file.
 *
 * @throws with the end of its output, when it ends or doesn't listen in time
 */
export async function launch(plan: CorePlan, { command, args, env, folder, ports }: Launch): Promise<Launched> {
  const [program = command, ...rest] = [...pinServer(plan), command, ...args];
  const logFile = join(folder, 'output.log');
  const log = openSync(logFile, 'a');
  const child = spawn(program, rest, { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
  closeSync(log);
  const onExit = () => child.kill('SIGKILL');
  process.once('exit', onExit);
  const stop = async () => {
    process.off('exit', onExit);
    await stopChild(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([waitForPorts(child, ports), failure(child, program)]);
  } catch (error) {
    const output = readFileSync(logFile, 'utf8').slice(-LOG_TAIL);
    await stop();
    throw new Error(`${command} did not start: ${error instanceof Error ? error.message : error}\n${output}`);
  }
  return { pid: child.pid ?? 0, stop };
}

async function failure(child: ChildProcess, program: string): Promise<never> {
  const outcome = await Promise.race([
    once(child, 'exit').then(([code, signal]) => `ended with ${signal ?? code}`),
    once(child, 'error').then(([error]) => String(error)),
  ]);
  throw new Error(`${program} ${outcome}`);
}

async function waitForPorts(child: ChildProcess, ports: readonly number[]): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (const port of ports) {
    while (child.exitCode === null && !(await accepts(port))) {
      if (performance.now() > deadline) throw new Error(`port ${port} was not open after ${START_TIMEOUT_MS} ms`);
      await sleep(POLL_MS);
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
