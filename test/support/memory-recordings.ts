import type { RecordedFile, RecordedFileQuery, RecordingIndex, RecordingTrouble } from '@sluice/core';
import { RecordingDiskError, type RecordingFiles } from '@sluice/storage';

type Events = Parameters<RecordingFiles['create']>[1];

/** A file of a disk that isn't one. */
export class MemoryFile {
  readonly name: string;
  readonly #pieces: Buffer[] = [];
  readonly #events: Events;
  readonly #reserve: { readonly at: number; readonly bytes: number } | undefined;
  readonly #holds: () => boolean;
  #length = 0;
  isOpen = false;
  isClosed = false;
  isFinished = false;
  hasFailed = false;

  /** @param holds whether the disk keeps what it is given to itself, and writes nothing */
  constructor(name: string, events: Events, reserve: MemoryFile['reserve'], holds = () => false) {
    this.name = name;
    this.#events = events;
    this.#reserve = reserve;
    this.#holds = holds;
  }

  get reserve() {
    return this.#reserve;
  }

  /** All of it, with zeros where room was left. */
  get bytes(): Buffer {
    const all = Buffer.concat(this.#pieces);
    if (this.#reserve === undefined) return all;
    const { at, bytes } = this.#reserve;
    return Buffer.concat([all.subarray(0, at), Buffer.alloc(bytes), all.subarray(at)]);
  }

  append(bytes: Buffer): void {
    if (bytes.buffer.byteLength !== bytes.length) throw new Error('the buffer shares its memory');
    if (this.hasFailed || this.#holds()) return;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    if (!this.isOpen) this.#events.opened(this.name);
    this.isOpen = true;
    this.#events.flushed(this.#length + (this.#reserve?.bytes ?? 0));
  }

  fail(trouble: RecordingTrouble): void {
    this.hasFailed = true;
    this.#events.failed(trouble, `the test says ${trouble}`);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

/** A recording root in memory, whose disk fails when it is told to. */
export class MemoryFiles implements RecordingFiles {
  readonly files: MemoryFile[] = [];
  /** What new files fail with. */
  trouble: RecordingTrouble | undefined;
  /** Whether nothing gets to the disk of what is appended. */
  holds = false;
  /** With what files can't be finished. */
  readonly refusals = new Map<string, RecordingDiskError['code']>();

  create(file: string, events: Events, { reserve }: Parameters<RecordingFiles['create']>[2]): MemoryFile {
    const created = new MemoryFile(file, events, reserve, () => this.holds);
    const { trouble } = this;
    if (trouble === undefined) this.files.push(created);
    else queueMicrotask(() => created.fail(trouble));
    return created;
  }

  async finish(name: string) {
    const refusal = this.refusals.get(name);
    if (refusal !== undefined) throw new RecordingDiskError(refusal, `the test says ${refusal} of ${name}`);
    const file = this.files.find((known) => known.name === name);
    if (file === undefined) throw new RecordingDiskError('missing', `${name} isn't there`);
    file.isFinished = true;
    return { bytes: file.bytes.length, durationMs: 1000, sha256: 'ab', isFaststart: true, repaired: false, damage: [] };
  }

  async remove(name: string): Promise<boolean> {
    const at = this.files.findIndex((file) => file.name === name);
    if (at >= 0) this.files.splice(at, 1);
    return at >= 0;
  }

  list = async () => this.files.map(({ name, bytes }) => ({ file: name, bytes: bytes.length, modifiedAt: 0 }));
}

/** An index that forgets all when it is forgotten. */
export class MemoryIndex implements RecordingIndex {
  readonly rows = new Map<string, RecordedFile>();

  async put(file: RecordedFile): Promise<void> {
    this.rows.set(file.id, file);
  }

  async delete(id: string): Promise<void> {
    this.rows.delete(id);
  }

  async keep(id: string, isKept: boolean): Promise<void> {
    const row = this.rows.get(id);
    if (row !== undefined) this.rows.set(id, { ...row, isKept });
  }

  get = async (id: string) => this.rows.get(id);

  query = async ({ state, limit, after }: RecordedFileQuery) =>
    after === undefined
      ? [...this.rows.values()].filter((row) => state === undefined || row.state === state).slice(0, limit)
      : [];

  paths = async () => [];

  totals = async () => [];
}
