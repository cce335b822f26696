import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exited } from './publisher.js';
import { until } from './until.js';

/** coturn, on the loopback address. */
export interface TurnServer {
  readonly log: () => string;
  stop(): Promise<void>;
}

/**
 * Starts coturn.
 *
 * @param config its `turnserver.conf`; what loopback needs is added
 */
export async function startTurnServer(config: string): Promise<TurnServer> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-turn-'));
  const file = join(directory, 'turnserver.conf');
  const pid = `pidfile=${join(directory, 'pid')}`;
  await writeFile(file, `${config}\nlistening-ip=127.0.0.1\nallow-loopback-peers\n${pid}\n`, { mode: 0o600 });
  const child = spawn('turnserver', ['-c', file], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      log += chunk;
    });
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited(child);
    await rm(directory, { recursive: true });
  };
  try {
    await until('coturn is ready', () => /Total General servers/.test(log));
  } catch (error) {
    await stop();
    throw new Error(`${error instanceof Error ? error.message : String(error)}; it says:\n${log}`);
  }
  return { log: () => log, stop };
}
