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

/** Of `times` in `/proc`, on Linux whatever the kernel itself counts in. */
const TICKS_PER_SECOND = 100;

/** How much of the processors some processes take, from one look to the next. */
export class CpuMeter {
  #ticks = new Map<number, number>();
  #at: number | undefined;

  /**
   * @param ticks that each process has taken since it began: `ticksOf`
   * @param now milliseconds that never go back
   * @returns processors: 1.5 is one and a half; undefined at the first look
   */
  look(ticks: ReadonlyMap<number, number>, now: number): number | undefined {
    const before = this.#at;
    let taken = 0;
    for (const [pid, count] of ticks) taken += Math.max(0, count - (this.#ticks.get(pid) ?? 0));
    this.#ticks = new Map(ticks);
    this.#at = now;
    if (before === undefined || now <= before) return undefined;
    return (taken / TICKS_PER_SECOND / (now - before)) * 1000;
  }
}

/** What each process has taken of the processors, in ticks of a hundredth of a second. */
export async function ticksOf(pids: readonly number[]): Promise<Map<number, number>> {
  const each = await Promise.all(
    pids.map(async (pid): Promise<[number, number][]> => {
      const fields = statOf(await readText(`/proc/${pid}/stat`));
      const [user, system] = [fields[USER_TIME], fields[USER_TIME + 1]];
      return user === undefined || system === undefined ? [] : [[pid, Number(user) + Number(system)]];
    }),
  );
  return new Map(each.flat());
}

/** Where it is among the fields behind the name: proc(5), utime. */
const USER_TIME = 11;

/** The fields of a process behind its name, which may hold anything, brackets too. */
function statOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function readEntry(pid: number): Promise<Entry | undefined> {
  const [, parent] = statOf(await readText(`/proc/${pid}/stat`));
  return parent === undefined ? undefined : { pid, parent: Number(parent) };
}

/** It may have ended since it was listed. */
async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
