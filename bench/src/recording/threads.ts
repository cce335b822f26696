import { readdirSync, readFileSync } from 'node:fs';
import { parseProcessStat } from '../proc-stat.js';

/** CPU seconds of a process's threads so far, and the bytes that each has written. */
export type ThreadLook = ReadonlyMap<number, { readonly cpuSeconds: number; readonly written: number }>;

/** CPU seconds between two looks. */
export interface ThreadTimes {
  readonly main: number;
  /** The thread that wrote the most, where it isn't the main one. */
  readonly writer: number;
  /** All others: V8's and libuv's, the database's. */
  readonly others: number;
}

export function lookAtThreads(pid: number): ThreadLook {
  const look = new Map<number, { cpuSeconds: number; written: number }>();
  for (const name of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${name}`;
    try {
      const { cpuSeconds } = parseProcessStat(readFileSync(`${folder}/stat`, 'latin1'));
      const written = Number(/^wchar: (\d+)$/m.exec(readFileSync(`${folder}/io`, 'latin1'))?.[1] ?? 0);
      look.set(Number(name), { cpuSeconds, written });
    } catch {
      // It ended meanwhile.
    }
  }
  return look;
}

export function threadTimes(pid: number, before: ThreadLook, after: ThreadLook): ThreadTimes {
  const spent = [...after].map(([thread, { cpuSeconds, written }]) => {
    const first = before.get(thread);
    return { thread, cpu: cpuSeconds - (first?.cpuSeconds ?? 0), written: written - (first?.written ?? 0) };
  });
  const most = spent.reduce((found, next) => (next.written > found.written ? next : found));
  const sum = (of: (thread: number) => boolean) =>
    spent.reduce((total, { thread, cpu }) => (of(thread) ? total + cpu : total), 0);
  const isWriter = (thread: number) => thread === most.thread && thread !== pid;
  return {
    main: sum((thread) => thread === pid),
    writer: sum(isWriter),
    others: sum((thread) => thread !== pid && !isWriter(thread)),
  };
}
