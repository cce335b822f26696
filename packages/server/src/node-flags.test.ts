import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NODE_FLAGS } from './node-flags.js';

describe('how Node is started', () => {
  it('is the same for the installed command as for npm start', () => {
    const command = readFileSync(new URL('../bin/sluice.js', import.meta.url), 'utf8');
    expect(command.split('\n')[0]).toBe(`#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}`);
  });
});
