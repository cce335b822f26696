import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const TIMEOUT_MS = 20_000;

/**
 * Takes what a module that was loaded into a measured server has written, as JSON.
 *
 * @param folder the server's working folder
 * @throws where the server writes nothing
 */
export async function takeReport<T>(folder: string, name: string): Promise<T> {
  const file = join(folder, name);
  const deadline = performance.now() + TIMEOUT_MS;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error(`the server wrote no ${file} in ${TIMEOUT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
  const report = JSON.parse(readFileSync(file, 'utf8')) as T;
  rmSync(file);
  return report;
}
