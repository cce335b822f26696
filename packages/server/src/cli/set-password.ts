import { createInterface } from 'node:readline/promises';
import { Directory, hashPassword, MAX_PASSWORD_LENGTH, makePassword, resolveConfig, systemClock } from '@sluice/core';
import { Storage, StorageError } from '@sluice/storage';
import { readConfigFile } from '../config-file.js';
import { createLogger } from '../logging.js';
import { StartError } from '../start-error.js';

const MIN_PASSWORD_LENGTH = 10;

/**
 * `sluice set-password`: a way in for who has lost it, while the server is stopped. The password comes by standard
 * input, never as an argument, which others on the machine could see; without one, it is made and printed.
 */
export async function setPassword(name: string, options: { config?: string }): Promise<void> {
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const log = createLogger({ ...config.log, output: process.stderr });
  const storage = await Storage.open({ dir: config.data.dir, log }).catch((error: unknown) => {
    throw error instanceof StorageError ? new StartError(error.message) : error;
  });
  try {
    const users = await Directory.load(storage.users);
    const user = users.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (user === undefined) {
      const known = users.list().map((candidate) => candidate.name);
      throw new StartError(`there is no user ${name}; there is: ${known.join(', ') || 'nobody'}`);
    }
    const given = process.stdin.isTTY ? '' : await firstLine();
    const password = given === '' ? makePassword() : given;
    if (password.length < MIN_PASSWORD_LENGTH || password.length > MAX_PASSWORD_LENGTH) {
      throw new StartError(`the password must have ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`);
    }
    const passwordHash = await hashPassword(password);
    await users.put({ ...user, passwordHash, tokensValidFrom: systemClock.wall(), disabled: false });
    if (given === '') process.stdout.write(`${password}\n`);
  } finally {
    await storage.close();
  }
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) return line;
  return '';
}
