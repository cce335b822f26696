import { randomUUID } from 'node:crypto';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Config, environmentName, type Finding, failed, messageOf, ok, warning } from '@sluice/core';
import { nearestDirectory } from '../disk-spaces.js';

const MIB = 1024 * 1024;
const LEAST_FREE = 100 * MIB;
const SCARCE = 1024 * MIB;

/** Whether what outlives a restart can be kept. */
export async function dataDirectoryFindings({ data }: Config): Promise<Finding[]> {
  const wanted = resolve(data.dir);
  const folder = await nearestDirectory(wanted);
  const check = `data directory ${wanted}`;
  const file = join(folder, `.sluice-doctor-${randomUUID()}`);
  try {
    await writeFile(file, '', { flag: 'wx' });
    await rm(file);
  } catch (error) {
    const advice = `Let the user that runs Sluice write there, or set another: ${environmentName('data.dir')}=…`;
    return [failed(check, `${folder} can't be written to: ${messageOf(error)}`, advice)];
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const shown = `${folder === wanted ? 'writable' : 'to be made at the first start'}, ${Math.round(free / MIB)} MiB free`;
  const advice = `Make room, or set another: ${environmentName('data.dir')}=…`;
  if (free < LEAST_FREE) return [failed(check, `${shown}; the database needs room`, advice)];
  return [free < SCARCE ? warning(check, shown, advice) : ok(check, shown)];
}
