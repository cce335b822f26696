import type { Millis } from '@sluice/media';

/** What became of a file that was to be removed. */
export type RemovalOutcome =
  | 'removed'
  /** There is no such file. */
  | 'unknown'
  | 'being-written'
  /** Somebody has said that it is to be kept. */
  | 'kept'
  /** It is gone from this machine; its copy is in an object store that isn't configured any more. */
  | 'remote-stays';

/** Removes recorded files, with their copies in the object store. */
export interface RecordingRemoval {
  /** @throws {Refusal} `unavailable` where the disk or the object store can't do it now: it can be asked again */
  remove(id: string): Promise<RemovalOutcome>;
}

export type RecordingFault =
  /** It is in the index, and neither on the disk nor in the object store. */
  | 'missing'
  /** The disk has lost it, and the object store has it. */
  | 'only-remote'
  /** It was lost, and is there again. */
  | 'found'
  /** It has another size than when it was finished. */
  | 'size'
  /** Its bytes aren't those that were finished. */
  | 'checksum'
  /** It was found damaged before. */
  | 'damaged'
  /** A crash left it as it grew. */
  | 'unfinished'
  /** It is on the disk, and not in the index. */
  | 'unknown'
  /** It can't be looked at. */
  | 'unreadable';

/** What a check has found wrong with one file. */
export interface RecordingFinding {
  readonly fault: RecordingFault;
  /** Its place under the recording root. */
  readonly file: string;
  /** Where the index knows it. */
  readonly id?: string | undefined;
  /** A sentence, for people. */
  readonly detail: string;
  /** Whether it is well now. */
  readonly repaired: boolean;
}

export interface RecordingCheckOptions {
  /** Finishes what a crash left, cuts off what can't be played, and indexes what isn't known. */
  readonly repair: boolean;
  /** Reads every file from beginning to end. */
  readonly checksums: boolean;
}

/** A check of the index against the disk, under way or over. */
export interface RecordingCheckRun {
  readonly options: RecordingCheckOptions;
  readonly startedAt: Millis;
  /** Undefined while it runs. */
  readonly endedAt: Millis | undefined;
  /** Files and bytes that were looked at so far. */
  readonly files: number;
  readonly bytes: number;
  readonly findings: readonly RecordingFinding[];
  /** Findings beyond those that are listed. */
  readonly unlisted: number;
  /** Why it couldn't go on to its end. */
  readonly failure: string | undefined;
}

/** Checks the index against the disk, once at a time. */
export interface RecordingChecks {
  /** The run under way, or the last one. */
  readonly last: RecordingCheckRun | undefined;
  /** @returns undefined where one is under way */
  begin(options: RecordingCheckOptions): RecordingCheckRun | undefined;
}
