import type { RecordingContainer, RecordingTrouble } from '@sluice/core';

/** A part of a file that isn't written, so that it takes no room until it is: the first `at` bytes are before it. */
export interface ReservedRoom {
  readonly at: number;
  readonly bytes: number;
}

/** A file that is being recorded. What goes wrong with it is told by its events; nothing here throws. */
export interface GrowingFile {
  /** Takes the buffer over, and its memory with it. */
  append(bytes: Buffer): void;
  /** Resolves when what was appended is on the disk and the file is closed, also where it has failed. */
  close(): Promise<void>;
}

export interface GrowingFileEvents {
  /** The first bytes are on the disk, in a file of this name: that asked for, or with a number behind it. */
  opened(file: string): void;
  /** Nothing more is written to it. Told once. Where `opened` didn't come before, no file is left. */
  failed(trouble: RecordingTrouble, detail: string): void;
  /** The first `bytes` of the file are on the disk, its reserved room counted in. */
  flushed(bytes: number): void;
}

/** What a file is when it is whole. */
export interface FinishedFile {
  readonly bytes: number;
  readonly durationMs: number;
  /** In hex. */
  readonly sha256: string;
}

/** A file under the recording root. */
export interface FoundFile {
  /** With `/` between names. */
  readonly file: string;
  readonly bytes: number;
  /** Ms since 1970. */
  readonly modifiedAt: number;
}

/** The recording root, as the recorder uses it. */
export interface RecordingFiles {
  /** @param file under the root, with `/` between names; where it is taken, it gets a number */
  create(
    file: string,
    events: GrowingFileEvents,
    options: { readonly reserve?: ReservedRoom | undefined },
  ): GrowingFile;
  /** Makes a file that grew, or broke off in a crash, a whole one. Rejects where that can't be done. */
  finish(file: string, container: RecordingContainer): Promise<FinishedFile>;
  list(): Promise<readonly FoundFile[]>;
}
