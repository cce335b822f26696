import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { type Config, type Logger, messageOf } from '@sluice/core';
import { StartError } from './start-error.js';

/** PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const POLL_MS = 5000;

/** The certificate of all TLS doors, read again when its files change: renewals need no restart. */
export class Certificate {
  #current: TlsFiles;
  readonly #files: readonly [string, string];
  readonly #listeners = new Set<(tls: TlsFiles) => void>();
  readonly #log: Logger;
  readonly #changed = () => void this.reload();

  private constructor(current: TlsFiles, files: readonly [string, string], log: Logger) {
    this.#current = current;
    this.#files = files;
    this.#log = log;
    for (const file of files) watchFile(file, { interval: POLL_MS, persistent: false }, this.#changed);
  }

  /** @returns undefined where none is configured. @throws {StartError} where it can't be read or used */
  static async load({ tls: { certFile, keyFile } }: Config, log: Logger): Promise<Certificate | undefined> {
    if (certFile === undefined || keyFile === undefined) return undefined;
    try {
      return new Certificate(await read(certFile, keyFile), [certFile, keyFile], log);
    } catch (error) {
      throw new StartError(messageOf(error));
    }
  }

  get current(): TlsFiles {
    return this.#current;
  }

  onChange(listener: (tls: TlsFiles) => void): void {
    this.#listeners.add(listener);
  }

  /** Reads the files again. While they can't be used, as in the middle of a renewal, the old ones stay. */
  async reload(): Promise<void> {
    try {
      const next = await read(...this.#files);
      if (next.cert.equals(this.#current.cert) && next.key.equals(this.#current.key)) return;
      this.#current = next;
      for (const listener of this.#listeners) listener(next);
      this.#log.info({ certFile: this.#files[0] }, 'a new certificate is in use');
    } catch (error) {
      this.#log.warn({ detail: messageOf(error) }, 'the new certificate cannot be used; the old one stays');
    }
  }

  close(): void {
    for (const file of this.#files) unwatchFile(file, this.#changed);
  }
}

async function read(certFile: string, keyFile: string): Promise<TlsFiles> {
  const files = { cert: await readNamed('tls.certFile', certFile), key: await readNamed('tls.keyFile', keyFile) };
  try {
    createSecureContext(files);
  } catch (error) {
    throw new Error(`tls.certFile ${certFile} and tls.keyFile ${keyFile} are no pair: ${messageOf(error)}`);
  }
  return files;
}

async function readNamed(key: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`${key} ${file} can't be read: ${messageOf(error)}`);
  }
}
