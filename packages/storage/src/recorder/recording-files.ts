import type { RecordingContainer, RecordingTrouble } from '@sluice/core';

/** A file that is being recorded. What goes wrong with it is told by its events; nothing here throws. */
export interface GrowingFile {
  /** Takes the buffer over, and its memory with it. */
  append(bytes: Buffer): void;
  /** Resolves when what was appended is on the disk and the file is closed, also where it has failed. */
  close(): Promise<void>;
}

export interface GrowingFileEvents {
  /** It has a name, which may differ from the one that was asked for. */
  opened(file: string): void;
  /** Nothing more is written to it. Told once. */
  failed(trouble: RecordingTrouble, detail: string): void;
  /** @param bytes of what was appended, from the file's beginning on, are on the disk */
  flushed(bytes: number): void;
}

/** What a file is when it is whole. */
export interface FinishedFile {
  readonly bytes: number;
  readonly durationMs: number;
  /** In hex. */
  readonly sha256: string;
}

/** The recording root, as the recorder uses it. */
export interface RecordingFiles {
  /** @param file under the root, with `/` between names; where it is taken, it gets a number */
  create(
    file: string,
    events: GrowingFileEvents,
    options: { readonly container: RecordingContainer; readonly reserve?: number },
  ): GrowingFile;
  /** Makes a file that grew, or broke off in a crash, a whole one. Rejects where that can't be done. */
  finish(file: string, container: RecordingContainer): Promise<FinishedFile>;
}
