import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exited } from './publisher.js';
import { until } from './until.js';

/** The real nats-server, with JetStream, on loopback. It can be ended and begun again at the same port. */
export class NatsServer {
  readonly #directory: string;
  #child: ChildProcess | undefined;
  #port = -1;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await mkdtemp(join(tmpdir(), 'sluice-nats-')));
    await server.begin();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async begin(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', String(this.#port), '-js', '-sd', this.#directory];
    const child = spawn('nats-server', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (chunk) => {
      log += chunk;
    });
    await until('the NATS server is ready', () => log.includes('Server is ready') || child.exitCode !== null);
    const port = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(log)?.[1];
    if (port === undefined) throw new Error(`nats-server: ${log}`);
    this.#port = Number(port);
    this.#child = child;
  }

  /** Ends it as a crash does. */
  async crash(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    child.kill('SIGKILL');
    await exited(child);
  }

  async stop(): Promise<void> {
    await this.crash();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
