import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in /proc by USER_HZ, which is 100 on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessStat {
  readonly parent: number;
  /** User and system time, also of children that ended. */
  readonly cpuSeconds: number;
}

/** Reads a line of /proc/PID/stat; see proc_pid_stat(5). The name, in parentheses, may hold anything. */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime = 0, stime = 0, childUtime = 0, childStime = 0] = fields.slice(11, 15);
  return { parent: fields[1] ?? 0, cpuSeconds: (utime + stime + childUtime + childStime) / TICKS_PER_SECOND };
}

/** The resident memory that /proc/PID/status tells, in MiB. */
export function parseResidentMib(text: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024;
}

/** Busy seconds (user, nice, system, interrupts) and stolen seconds of all cores, from /proc/stat's first line. */
export function parseMachineStat(text: string): { readonly busySeconds: number; readonly stolenSeconds: number } {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = text
    .slice('cpu'.length, text.indexOf('\n'))
    .trim()
    .split(/\s+/)
    .map(Number);
  return {
    busySeconds: (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
    stolenSeconds: steal / TICKS_PER_SECOND,
  };
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMib: number;
}

/** What a process and all its descendants use; nothing of those that are gone. */
export function usageOf(pids: readonly number[]): Usage {
  let cpuSeconds = 0;
  let residentMib = 0;
  for (const pid of pids) {
    const stat = readProc(`${pid}/stat`);
    if (stat === undefined) continue;
    cpuSeconds += parseProcessStat(stat).cpuSeconds;
    residentMib += parseResidentMib(readProc(`${pid}/status`) ?? '');
  }
  return { cpuSeconds, residentMib };
}

/** For how long a process's main thread has been ready to run while others had its core; see proc_schedstat in the kernel's docs. */
export function waitedForCoreSeconds(pid: number): number {
  return parseSchedstat(readProc(`${pid}/schedstat`) ?? '');
}

/** /proc/PID/schedstat: ns on a core, ns of waiting for one, and turns. */
export function parseSchedstat(text: string): number {
  return Number(text.split(' ')[1] ?? 0) / 1e9;
}

/** A process and its descendants, as they are now. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readProc(`${name}/stat`) : undefined;
    if (stat === undefined) continue;
    const { parent } = parseProcessStat(stat);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

export function machineUsage() {
  return parseMachineStat(readFileSync('/proc/stat', 'latin1'));
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return undefined;
  }
}

/** CPU seconds of a process, and of its children that have ended. */
export function cpuOf(pid: number): { readonly own: number; readonly children: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const ticks = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  const [utime = 0, stime = 0, childUtime = 0, childStime = 0] = ticks;
  return { own: (utime + stime) / TICKS_PER_SECOND, children: (childUtime + childStime) / TICKS_PER_SECOND };
}
