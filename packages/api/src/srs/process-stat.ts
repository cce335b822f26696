import { textOf } from './proc-file.js';

/** Numbers of `/proc/self/stat` behind `ppid`, proc(5), in their order there and by the names that SRS gives them. */
export const PROCESS_NUMBERS = [
  'pgrp',
  'session',
  'tty_nr',
  'tpgid',
  'flags',
  'minflt',
  'cminflt',
  'majflt',
  'cmajflt',
  'utime',
  'stime',
  'cutime',
  'cstime',
  'priority',
  'nice',
  'num_threads',
  'itrealvalue',
  'starttime',
  'vsize',
  'rss',
  'rsslim',
  'startcode',
  'endcode',
  'startstack',
  'kstkesp',
  'kstkeip',
  'signal',
  'blocked',
  'sigignore',
  'sigcatch',
  'wchan',
  'nswap',
  'cnswap',
  'exit_signal',
  'processor',
  'rt_priority',
  'policy',
  'delayacct_blkio_ticks',
  'guest_time',
  'cguest_time',
] as const;

export type ProcessNumber = (typeof PROCESS_NUMBERS)[number];

/** Where code and stack lie is of use only to who attacks the process. */
const ADDRESSES: ReadonlySet<ProcessNumber> = new Set([
  'startcode',
  'endcode',
  'startstack',
  'kstkesp',
  'kstkeip',
  'wchan',
]);

export interface ProcessStat {
  /** In parentheses, as the kernel writes it. */
  readonly comm: string;
  readonly state: string;
  readonly numbers: Readonly<Record<ProcessNumber, number>>;
}

/** What the kernel says of this process; zeros where there is no such file. */
export function processStat(text = textOf('/proc/self/stat')): ProcessStat {
  const nameEnd = text.lastIndexOf(')');
  const comm = text.slice(text.indexOf('('), nameEnd + 1) || '(sluice)';
  const [state = '', , ...values] = text
    .slice(nameEnd + 1)
    .trim()
    .split(' ');
  const numbers = PROCESS_NUMBERS.map((name, at) => [name, ADDRESSES.has(name) ? 0 : numberOf(values[at])]);
  return { comm, state: state || 'R', numbers: Object.fromEntries(numbers) };
}

/** What is beyond a double's integers is `unlimited`, which SRS writes so. */
function numberOf(text = '0'): number {
  const value = Number(text);
  return value > Number.MAX_SAFE_INTEGER ? -1 : value;
}
