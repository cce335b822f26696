import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSecretFile } from './secret-file.js';

describe('readSecretFile', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-secret-'));
  });
  afterAll(() => rm(directory, { recursive: true }));
  const reading = async (text: string, mode = 0o600) => {
    const file = join(directory, 'secret');
    await writeFile(file, text);
    await chmod(file, mode);
    return readSecretFile(file);
  };

  it.each([
    ['abc', 'abc'],
    ['abc\n', 'abc'],
    ['abc\r\n\n', 'abc'],
    [' a c ', ' a c '],
  ])('reads %j', async (text, secret) => {
    expect(await reading(text)).toBe(secret);
    expect(await reading(text, 0o400)).toBe(secret);
  });

  it.each([
    ['abc', 0o644, 'too-open', /0644.*chmod 600/],
    ['abc', 0o660, 'too-open', /0660/],
    ['abc', 0o601, 'too-open', /0601/],
    ['', 0o600, 'empty', /is empty/],
    [' \n', 0o600, 'empty', /is empty/],
    ['abc\ndef\n', 0o600, 'malformed', /on one line/],
    ['abc\0', 0o600, 'malformed', /on one line/],
    ['a'.repeat(5000), 0o600, 'malformed', /longer than 4096/],
  ] as const)('refuses %j with mode %o as %s', async (text, mode, code, message) => {
    await expect(reading(text, mode)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(reading(text, mode)).rejects.not.toThrow(/abc/);
  });

  it('says what is not there, and what is no file', async () => {
    await expect(readSecretFile(join(directory, 'none'))).rejects.toMatchObject({ code: 'missing' });
    await expect(readSecretFile(directory)).rejects.toMatchObject({ code: 'no-file' });
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(readSecretFile(pipe)).rejects.toMatchObject({ code: 'no-file' });
  });
});
