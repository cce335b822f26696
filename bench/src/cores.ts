import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Who computes where. */
export interface CorePlan {
  readonly server: readonly number[];
  readonly load: readonly number[];
  /** Whether processes are really held to their cores. */
  readonly pinned: boolean;
  /** What a reader of the figures must know of it. */
  readonly caution?: string;
}

/** One core for the server, the others for the load; with only one, they share it. */
export function planCores(allowed: readonly number[], canPin: boolean): CorePlan {
  const [server = 0, ...others] = allowed;
  const load = others.length > 0 ? others : [server];
  if (!canPin) return { server: [server], load, pinned: false, caution: 'taskset is missing: nothing was pinned' };
  if (others.length > 0) return { server: [server], load, pinned: true };
  return { server: [server], load, pinned: true, caution: 'server and load shared one core' };
}

/** The cores that this process may use, and whether taskset is there. */
export function surveyCores(): CorePlan {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return planCores(parseCpuList(list), spawnSync('taskset', ['--version']).status === 0);
}

/** `0-2,5` → 0, 1, 2, 5. See cpuset(7). */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Holds this process, with all its threads, to the load's cores. Child processes inherit it. */
export function pinSelf({ pinned, load }: CorePlan): void {
  if (pinned) execFileSync('taskset', ['-a', '-c', '-p', load.join(','), String(process.pid)]);
}

/** What to put before a server's command line. */
export function pinServer({ pinned, server }: CorePlan): string[] {
  return pinned ? ['taskset', '-c', server.join(',')] : [];
}
