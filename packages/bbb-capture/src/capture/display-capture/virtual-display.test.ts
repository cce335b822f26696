import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { findProgram } from '@sluice/core';
import { expect, test, vi } from 'vitest';
import { VirtualDisplay } from './virtual-display.js';

test('each capture has a display and a sound device of its own, and nothing of them stays', async () => {
  const size = { width: 320, height: 240 };
  const [one, other] = await Promise.all([VirtualDisplay.start(size), VirtualDisplay.start(size)]);
  try {
    expect(one.environment.DISPLAY).toMatch(/^:\d+$/);
    expect(one.environment.DISPLAY).not.toBe(other.environment.DISPLAY);
    expect(one.environment.PULSE_SERVER).not.toBe(other.environment.PULSE_SERVER);
    expect(readdirSync(dirname(one.environment.XAUTHORITY ?? ''))).toContain('pulse.sock');
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
  for (const { environment } of [one, other]) expect(existsSync(dirname(environment.XAUTHORITY ?? ''))).toBe(false);
});

test('what is missing is named, with the way out', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    await expect(VirtualDisplay.start({ width: 320, height: 240 })).rejects.toMatchObject({
      code: 'browser-failed',
      message: expect.stringContaining('install the package xvfb'),
    });
  } finally {
    process.env.PATH = path;
  }
});

test.runIf(findProgram('setpriv', process.env))('a process that is killed leaves neither of them running', async () => {
  const compiled = new URL('../../../dist/capture/display-capture/virtual-display.js', import.meta.url).href;
  const program = `
    import { VirtualDisplay } from '${compiled}';
    const { environment } = await VirtualDisplay.start({ width: 320, height: 240 });
    console.log(environment.XAUTHORITY);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const folder = dirname(String(said).trim());
  const left = () =>
    readdirSync('/proc').filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(folder);
      } catch {
        return false;
      }
    });
  expect(left()).toHaveLength(2);
  child.kill('SIGKILL');
  await vi.waitFor(() => expect(left()).toEqual([]), 5000);
  rmSync(folder, { recursive: true });
});
