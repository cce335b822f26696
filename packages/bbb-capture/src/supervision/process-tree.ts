import { readdir, readFile } from 'node:fs/promises';

interface Entry {
  readonly pid: number;
  readonly parent: number;
}

/**
 * The processes of this machine that a marker in their command line tells, and all their children.
 *
 * @param marker that no other process has in its command line
 * @returns none where there is no `/proc`
 */
export async function processTree(marker: string): Promise<number[]> {
  const names = await readdir('/proc').catch((): string[] => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = (await Promise.all(pids.map(readEntry))).filter((entry) => entry !== undefined);
  const marked = await Promise.all(
    entries.map(async ({ pid }) => ((await readText(`/proc/${pid}/cmdline`)).includes(marker) ? [pid] : [])),
  );
  const found = new Set(marked.flat());
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of entries) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** What processes take together, in bytes; what they share is counted once. */
export async function memoryOf(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const [, pss] = /^Pss:\s+(\d+) kB/m.exec(await readText(`/proc/${pid}/smaps_rollup`)) ?? [];
      if (pss !== undefined) return Number(pss);
      // Those of another user namespace can't be looked into so closely.
      const [, rss] = /^VmRSS:\s+(\d+) kB/m.exec(await readText(`/proc/${pid}/status`)) ?? [];
      return Number(rss ?? 0);
    }),
  );
  return each.reduce((sum, kib) => sum + kib, 0) * 1024;
}

async function readEntry(pid: number): Promise<Entry | undefined> {
  // The name in brackets may hold anything, brackets too.
  const stat = await readText(`/proc/${pid}/stat`);
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return parent === undefined ? undefined : { pid, parent: Number(parent) };
}

/** It may have ended since it was listed. */
async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
