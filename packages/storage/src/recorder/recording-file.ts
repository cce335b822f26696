import {
  type Logger,
  messageOf,
  type RecordedFile,
  type RecordedGap,
  type RecordingIndex,
  type RecordingTrouble,
} from '@sluice/core';
import type { Millis } from '@sluice/media';
import type { GrowingFile } from './disk/growing-file.js';
import type { ReservedRoom } from './disk/protocol.js';
import type { RecordingFiles } from './recording-files.js';
import type { FileSink } from './recording-sink.js';

export interface RecordingFileEvents {
  /** Its first bytes are on the disk. */
  opened(): void;
  /** Something of it is on the disk, told each time that there is more. */
  written(): void;
  failed(trouble: RecordingTrouble, detail: string): void;
}

export interface RecordingFileOptions {
  /** As it begins; `file` is what the name is meant to be. */
  readonly row: RecordedFile;
  readonly reserve: ReservedRoom | undefined;
  readonly files: RecordingFiles;
  readonly index: RecordingIndex;
  readonly events: RecordingFileEvents;
  readonly log: Logger;
}

/** The index is told of a file's growth after so many ms of media. */
const INDEX_INTERVAL = 10_000;

/** One file of a recording while it grows: its bytes go to the disk, what is known of it to the index. */
export class RecordingFile implements FileSink {
  readonly #options: RecordingFileOptions;
  readonly #growing: GrowingFile;
  #row: RecordedFile;
  #failed = false;
  #ended: Promise<void> | undefined;
  /** Appended and not yet on the disk: where it ends, in bytes and in ms of media. */
  #onTheWay: { readonly bytes: number; readonly duration: number }[] = [];
  #appended = 0;
  #kept = 0;
  #keptBytes = 0;
  #isThere = false;
  #indexedTo = 0;

  constructor(options: RecordingFileOptions) {
    this.#options = options;
    this.#row = options.row;
    const { files, reserve } = options;
    // The room comes with the first bytes.
    this.#appended = reserve?.bytes ?? 0;
    this.#growing = files.create(
      options.row.file,
      {
        opened: (name) => {
          this.#row = { ...this.#row, file: name };
          this.#isThere = true;
          this.#tellIndex();
          options.events.opened();
        },
        failed: (trouble, detail) => this.#fail(trouble, detail),
        flushed: (bytes) => this.#flushed(bytes),
      },
      { reserve },
    );
  }

  get row(): RecordedFile {
    return this.#row;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get kept(): number {
    return this.#kept;
  }

  /** Ms of its media that were appended, and aren't on the disk. */
  get waiting(): number {
    return (this.#onTheWay.at(-1)?.duration ?? this.#kept) - this.#kept;
  }

  /** Whether anything of it is on the disk. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /** Bytes on the disk, without the room that is left in it. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  append(bytes: Buffer, duration: number): void {
    if (this.#failed) return;
    this.#appended += bytes.length;
    this.#onTheWay.push({ bytes: this.#appended, duration });
    this.#growing.append(bytes);
  }

  beganAt(startedAt: Millis): void {
    this.#row = { ...this.#row, startedAt };
  }

  gap(gap: RecordedGap): void {
    this.#row = { ...this.#row, gaps: [...this.#row.gaps, gap] };
    if (this.#isThere) this.#tellIndex();
  }

  end(): void {
    this.#ended ??= this.#growing.close();
  }

  /** Ends it. Resolves when it is on the disk, as far as it got there. */
  async closed(): Promise<void> {
    this.end();
    await this.#ended;
  }

  #fail(trouble: RecordingTrouble, detail: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.events.failed(trouble, detail);
  }

  #flushed(bytes: number): void {
    this.#keptBytes = Math.max(bytes - (this.#options.reserve?.bytes ?? 0), 0);
    const reached = this.#onTheWay.findLastIndex((piece) => piece.bytes <= bytes);
    this.#kept = this.#onTheWay[reached]?.duration ?? this.#kept;
    this.#onTheWay = this.#onTheWay.slice(reached + 1);
    this.#row = { ...this.#row, bytes, duration: this.#kept };
    if (this.#kept - this.#indexedTo >= INDEX_INTERVAL) this.#tellIndex();
    this.#options.events.written();
  }

  #tellIndex(): void {
    this.#indexedTo = this.#kept;
    const { index, log } = this.#options;
    const { file } = this.#row;
    index.put(this.#row).catch((error: unknown) => {
      log.error({ file, detail: messageOf(error) }, 'a recording grows that the index does not know of yet');
    });
  }
}
