import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { CpuMeter, memoryOf, processTree, ticksOf } from './process-tree.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

test('what processes take is the growth of what they have taken, of those that came meanwhile as well', () => {
  const meter = new CpuMeter();
  expect(meter.look(new Map([[1, 5000]]), 1000)).toBeUndefined();
  const later = new Map([
    [1, 5100],
    [2, 50],
  ]);
  expect(meter.look(later, 2000)).toBe(1.5);
  // One has ended, another has its number.
  expect(meter.look(new Map([[2, 10]]), 3000)).toBe(0);
  expect(meter.look(new Map(), 3000)).toBeUndefined();
});

test('a program that counts takes a processor, and its memory, its children included', async () => {
  const marker = `sluice-${randomUUID()}`;
  const busy = 'const end = Date.now() + 30000; while (Date.now() < end);';
  const start = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(busy)}], { stdio: 'inherit' })`;
  const child = spawn(process.execPath, ['-e', start, marker], { stdio: 'ignore', detached: true });
  closing.push(() => process.kill(-(child.pid ?? 0), 'SIGKILL'));
  await vi.waitFor(async () => expect(await processTree(marker)).toHaveLength(2), 10_000);
  const pids = await processTree(marker);
  expect(pids).toContain(child.pid);
  expect(await memoryOf(pids)).toBeGreaterThan(10 * 1024 * 1024);
  const meter = new CpuMeter();
  meter.look(await ticksOf(pids), performance.now());
  await vi.waitFor(async () => expect(meter.look(await ticksOf(pids), performance.now())).toBeGreaterThan(0.1), {
    timeout: 10_000,
    interval: 500,
  });
  expect(await ticksOf([2 ** 30])).toEqual(new Map());
});
