import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { AuditEntry, Logger } from '@sluice/core';
import type { AuditSink } from './audit-writer.js';

/** A disk that takes nothing for so long that this much waits is not written to any more. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** JSON lines, one for each entry, that only their owner reads. */
export class AuditFile implements AuditSink {
  readonly #path: string;
  readonly #log: Logger;
  #stream: WriteStream;
  #isLosing = false;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#stream = this.#open();
  }

  write(entry: AuditEntry): void {
    if (this.#stream.writableLength > MAX_WAITING_BYTES || this.#stream.destroyed) {
      if (!this.#isLosing)
        this.#log.error({ file: this.#path }, 'the audit file takes no more: entries are lost to it');
      this.#isLosing = true;
      return;
    }
    this.#isLosing = false;
    this.#stream.write(`${JSON.stringify({ ...entry, at: new Date(entry.at).toISOString() })}\n`);
  }

  reopen(): void {
    this.#stream.end();
    this.#stream = this.#open();
  }

  async close(): Promise<void> {
    if (this.#stream.destroyed) return;
    this.#stream.end();
    await once(this.#stream, 'close');
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#path, { flags: 'a', mode: 0o600 });
    stream.on('error', (error) => {
      this.#log.error({ file: this.#path, detail: error.message }, 'the audit file cannot be written');
    });
    return stream;
  }
}
