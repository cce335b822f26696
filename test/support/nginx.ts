import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exited } from './publisher.js';
import { until } from './until.js';

/** Where Debian puts modules. */
const MODULES = '/usr/lib/nginx/modules';

/** nginx, on the loopback address. */
export interface Nginx {
  /** Its error log. */
  readonly log: () => Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts nginx.
 *
 * @param options.modules names of dynamic modules, as in `ngx_rtmp_module`
 * @param options.blocks its `http` or `rtmp` block; `$DIR` in it stands for a directory of its own
 * @param options.port that it is ready on
 */
export async function startNginx(options: {
  readonly modules?: readonly string[];
  readonly blocks: string;
  readonly port: number;
}): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-nginx-'));
  const log = join(directory, 'error.log');
  const lines = [
    ...(options.modules ?? []).map((name) => `load_module ${join(MODULES, `${name}.so`)};`),
    ...['daemon off;', 'worker_processes 1;', `pid ${join(directory, 'pid')};`, `error_log ${log} info;`],
    // Started by root, its workers would be of a user who may not write here.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    ...['events { worker_connections 512; }', options.blocks.replaceAll('$DIR', directory), ''],
  ];
  const file = join(directory, 'nginx.conf');
  await writeFile(file, lines.join('\n'));
  const child = spawn('nginx', ['-p', directory, '-c', file, '-e', log], { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited(child);
    await rm(directory, { recursive: true, force: true });
  };
  const said = () => readFile(log, 'utf8').catch(() => '');
  try {
    await until('nginx is ready', async () => child.exitCode !== null || (await answers(options.port)));
    if (child.exitCode !== null) throw new Error(`nginx has ended with ${child.exitCode}`);
  } catch (error) {
    const told = await said();
    await stop();
    throw new Error(`${error instanceof Error ? error.message : String(error)}; it says:\n${told}`);
  }
  return { log: said, stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
