import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exited } from './publisher.js';
import { until } from './until.js';

/** A machine that is busy with other tests takes its time. */
const START_MS = 40_000;
const MAIN = fileURLToPath(new URL('../../packages/server/dist/main.js', import.meta.url));

interface Ports {
  readonly srt: number;
  readonly rtmp: number;
  readonly http: number;
  readonly api: number;
}

/** V8 may leave garbage where it is for as long as nobody needs the room. */
const COLLECTS_GARBAGE_ON_SIGUSR2 = ['--expose-gc', '--import', 'data:text/javascript,process.on("SIGUSR2", gc)'];

/** Without what the test run is told by variables that look like settings. */
const OWN_ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_')));

/** The built server in a process of its own, so that its memory can be told from the test's. */
export class ServerProcess {
  readonly ports: Ports;
  readonly #child: ChildProcess;
  /** One of its own, which goes with it. */
  readonly #directory: string | undefined;

  private constructor(child: ChildProcess, directory: string | undefined, ports: Ports) {
    this.#child = child;
    this.#directory = directory;
    this.ports = ports;
  }

  /** @param directory where its data are, and stay; else one that goes with it */
  static async start(environment: Record<string, string>, directory?: string): Promise<ServerProcess> {
    const own = directory === undefined ? await mkdtemp(join(tmpdir(), 'sluice-process-')) : undefined;
    const child = spawn(process.execPath, [...COLLECTS_GARBAGE_ON_SIGUSR2, MAIN, 'serve'], {
      cwd: directory ?? own,
      env: {
        ...OWN_ENVIRONMENT,
        SLUICE_RTMP_PORT: '0',
        SLUICE_HTTP_PORT: '0',
        SLUICE_SRT_PORT: '0',
        SLUICE_WEBRTC_PORT: '0',
        SLUICE_API_PORT: '0',
        SLUICE_LOG_FORMAT: 'json',
        SLUICE_SHUTDOWN_SECONDS: '1',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      // All that is read of it is its first lines.
      if (output.length < 10_000) output += chunk;
    });
    try {
      await until('the server is ready', () => output.includes('"msg":"Sluice is ready"'), START_MS);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    const ready = output.split('\n').find((line) => line.includes('"msg":"Sluice is ready"')) ?? '{}';
    return new ServerProcess(child, own, JSON.parse(ready) as Ports);
  }

  /** Resident without garbage, in bytes, as its own metrics tell. */
  async memory(): Promise<number> {
    this.#child.kill('SIGUSR2');
    const text = await (await fetch(`http://127.0.0.1:${this.ports.api}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
  }

  /** Resolves with its exit code when it has ended by itself. */
  get exited(): Promise<number | null> {
    return exited(this.#child);
  }

  /** Ends it as a crash does. */
  async crash(): Promise<void> {
    this.#child.kill('SIGKILL');
    await exited(this.#child);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await exited(this.#child);
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true });
  }
}
