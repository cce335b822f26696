import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
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
