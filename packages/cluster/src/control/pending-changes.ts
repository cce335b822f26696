import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { type Logger, messageOf } from '@sluice/core';

/**
 * Which records were changed here and aren't in the cluster yet, over restarts: without it nobody could tell a ban that
 * was made while NATS was away from one that was lifted elsewhere meanwhile.
 */
export class PendingChanges {
  readonly #file: string;
  readonly #log: Logger;
  readonly #keys: Set<string>;
  #writing: Promise<void> = Promise.resolve();
  #isDue = false;

  constructor(file: string, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.#keys = new Set(read(file, log));
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  get keys(): readonly string[] {
    return [...this.#keys];
  }

  add(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#write();
  }

  delete(key: string): void {
    if (this.#keys.delete(key)) this.#write();
  }

  /** Resolves when the file is as it should be. */
  close(): Promise<void> {
    return this.#writing;
  }

  /** Many changes at once are one file. */
  #write(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#writing = this.#writing.then(async () => {
      this.#isDue = false;
      try {
        await writeFile(`${this.#file}.new`, `${JSON.stringify(this.keys)}\n`, { mode: 0o600 });
        await rename(`${this.#file}.new`, this.#file);
      } catch (error) {
        const fields = { file: this.#file, detail: messageOf(error) };
        this.#log.error(fields, 'what the cluster is still to be told of can’t be kept');
      }
    });
  }
}

function read(file: string, log: Logger): string[] {
  try {
    const keys: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys;
    throw new Error('it holds no list of keys');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.error({ file, detail: messageOf(error) }, 'what the cluster is still to be told of can’t be read');
    }
    return [];
  }
}
