import { expect, test } from 'vitest';
import { parseMachineStat, parseProcessStat, parseResidentMib, processTree, usageOf } from './proc-stat.js';

test('reads times and parent past a name with spaces and parentheses', () => {
  const line = '42 (a) b (c)) S 7 42 42 0 -1 4194304 1 2 3 4 150 50 20 5 20 0 11 0 100 1000 200 18446744073709551615';
  expect(parseProcessStat(line)).toEqual({ parent: 7, cpuSeconds: 2.25 });
});

test('reads resident memory', () => {
  expect(parseResidentMib('Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t 1 kB\n')).toBe(2);
  expect(parseResidentMib('Name:\tkthread\n')).toBe(0);
});

test('adds up busy time of all cores, and keeps stolen time apart', () => {
  expect(parseMachineStat('cpu  100 10 200 9999 5 20 70 300 0 0\ncpu0 1 2 3\n')).toEqual({
    busySeconds: 4,
    stolenSeconds: 3,
  });
});

test('finds this process below its parent, and its use', () => {
  expect(processTree(process.ppid)).toContain(process.pid);
  const usage = usageOf([process.pid]);
  expect(usage.cpuSeconds).toBeGreaterThan(0);
  expect(usage.residentMib).toBeGreaterThan(5);
  expect(usageOf([2 ** 30])).toEqual({ cpuSeconds: 0, residentMib: 0 });
});
