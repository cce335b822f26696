import {
  type Config,
  type EventBus,
  messageOf,
  type RecordedFile,
  type RecordingCheckOptions,
  type RecordingCheckRun,
  type RecordingChecks,
  type RecordingFault,
  type RecordingFinding,
  type RecordingIndex,
} from '@sluice/core';
import { type Millis, millis } from '@sluice/media';
import type { FoundFile } from './disk/finisher-protocol.js';
import type { RecordingDisk } from './disk/recording-disk.js';
import { GONE } from './recording-remover.js';
import { entryOf } from './unknown-file.js';

const PAGE = 500;
/** More are counted only: a folder that somebody emptied shall not fill memory. */
const MOST_FINDINGS = 10_000;
const RECORDING_NAME = /\.(mp4|flv|ts)$/;

export interface RecordingCheckerOptions {
  readonly index: RecordingIndex;
  readonly disk: Pick<RecordingDisk, 'list' | 'check' | 'finish'>;
  readonly events: EventBus;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
  /** Whether something is being done to a file at the moment, so that nothing can be said about it. */
  readonly isInWork: (file: FoundFile | RecordedFile) => boolean;
  /** As the configuration names files: it tells which stream a file is of that the index doesn't know. */
  readonly config: () => Config;
}

/** What a look at one file has come to. */
interface Verdict {
  readonly fault: RecordingFault;
  readonly detail: string;
  /** The file as it is from now on; undefined where the entry is right. */
  readonly entry?: RecordedFile;
  /** Whether finishing it anew could help. */
  readonly canRepair: boolean;
}

/** Compares the index with the disk. Entries are always set right; files are changed by a repair only. */
export class RecordingChecker implements RecordingChecks {
  readonly #options: RecordingCheckerOptions;
  #run: Run | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: RecordingCheckerOptions) {
    this.#options = options;
  }

  get last(): RecordingCheckRun | undefined {
    return this.#run?.snapshot();
  }

  begin(options: RecordingCheckOptions): RecordingCheckRun | undefined {
    if (this.#running !== undefined || this.#isClosed) return undefined;
    const run = new Run(options, millis(this.#options.now()));
    this.#run = run;
    this.#running = this.#complete(run);
    return run.snapshot();
  }

  /** Resolves when no check is under way. */
  async whenDone(): Promise<void> {
    await this.#running;
  }

  /** Ends a check under way before its next file, or with the disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #complete(run: Run): Promise<void> {
    try {
      await this.#check(run);
      if (this.#isClosed) run.failure = 'it was ended before it was through';
    } catch (error) {
      run.failure = messageOf(error);
    }
    run.endedAt = millis(this.#options.now());
    this.#running = undefined;
  }

  async #check(run: Run): Promise<void> {
    const { disk, isInWork } = this.#options;
    const onDisk = new Map((await disk.list()).map((file) => [file.file, file]));
    const known = new Set<string>();
    for await (const file of this.#entries()) {
      if (file.isLocal && onDisk.size === 0 && file.state !== 'writing') {
        throw new Error(
          'the recording folder is empty, and the index knows files in it: is its disk mounted? Nothing was changed',
        );
      }
      known.add(file.file);
      if (isInWork(file)) continue;
      run.files += 1;
      run.bytes += onDisk.get(file.file)?.bytes ?? 0;
      try {
        await this.#checkEntry(file, onDisk.get(file.file), run);
      } catch (error) {
        if (this.#isClosed) return;
        run.find({ fault: 'unreadable', file: file.file, id: file.id, detail: messageOf(error), repaired: false });
      }
    }
    await this.#checkUnknown(
      [...onDisk.values()].filter(({ file }) => !known.has(file) && RECORDING_NAME.test(file)),
      run,
    );
  }

  async #checkEntry(file: RecordedFile, found: FoundFile | undefined, run: Run): Promise<void> {
    const verdict = await this.#verdictOn(file, found, run.options.checksums);
    if (verdict === undefined) return;
    const { index, isInWork } = this.#options;
    const now = await index.get(file.id);
    // It was removed, moved or replaced while it was looked at.
    if (now === undefined || now.state !== file.state || now.isLocal !== file.isLocal || isInWork(now)) return;
    const { fault, detail, canRepair } = verdict;
    const entry: RecordedFile = { ...(verdict.entry ?? now), remote: now.remote };
    if (verdict.entry !== undefined) await index.put(entry);
    const about = { fault, file: file.file, id: file.id };
    if (fault === 'found' || (run.options.repair && canRepair)) {
      const failure = fault === 'found' ? undefined : await this.#repair(entry);
      run.find({ ...about, detail: failure ?? detail, repaired: failure === undefined });
      if (failure === undefined) return;
    } else {
      run.find({ ...about, detail, repaired: false });
    }
    const isNews = file.state === 'ready' && entry.state !== 'ready';
    if (isNews) this.#options.events.emit('recording-file-damaged', { file: entry, reason: detail });
  }

  /** @returns undefined where all is well */
  async #verdictOn(file: RecordedFile, found: FoundFile | undefined, checksums: boolean): Promise<Verdict | undefined> {
    if (file.state === 'missing' || !file.isLocal) return found && this.#verdictOnFound(file, found);
    if (found === undefined) return this.#verdictOnLost(file);
    if (file.state === 'writing') {
      return { fault: 'unfinished', detail: 'a crash left it as it grew', canRepair: true };
    }
    if (found.bytes !== file.bytes && file.state === 'ready') {
      const detail = `it has ${found.bytes} bytes, and had ${file.bytes} when it was finished`;
      return { fault: 'size', detail, entry: { ...file, state: 'damaged', reason: detail }, canRepair: true };
    }
    if (file.state === 'damaged') return this.#verdictOnDamaged(file, found);
    if (!checksums || file.sha256 === undefined) return undefined;
    const state = await this.#options.disk.check(file.file, { bytes: file.bytes, sha256: file.sha256 });
    if (state.kind === 'intact') return undefined;
    if (state.kind === 'missing') return this.#verdictOnLost(file);
    const { detail } = state;
    return { fault: 'checksum', detail, entry: { ...file, state: 'damaged', reason: detail }, canRepair: false };
  }

  /** A file can have come after the folder was listed. */
  async #verdictOnLost(file: RecordedFile): Promise<Verdict | undefined> {
    const again = await this.#options.disk.check(file.file, { bytes: file.bytes, sha256: file.sha256 ?? '' });
    if (again.kind !== 'missing') return undefined;
    if (file.remote !== undefined && file.state === 'ready') {
      const detail = 'the disk has lost it; the object store has a copy';
      return { fault: 'only-remote', detail, entry: { ...file, isLocal: false }, canRepair: false };
    }
    const entry: RecordedFile = { ...file, state: 'missing', isLocal: false, reason: GONE };
    return { fault: 'missing', detail: GONE, entry, canRepair: false };
  }

  /** Only what it was when it was finished counts as found. */
  async #verdictOnFound(file: RecordedFile, found: FoundFile): Promise<Verdict> {
    const { reason: _, ...rest } = file;
    const { sha256, bytes } = file;
    if (sha256 === undefined && file.state === 'missing') {
      const entry: RecordedFile = { ...rest, state: 'writing', isLocal: true };
      return { fault: 'unfinished', detail: 'a crash left it as it grew', entry, canRepair: true };
    }
    const state = await this.#options.disk.check(found.file, { bytes, sha256: sha256 ?? '' });
    if (state.kind === 'intact') {
      const entry: RecordedFile = { ...rest, state: 'ready', isLocal: true };
      return { fault: 'found', detail: 'it is on the disk again', entry, canRepair: false };
    }
    const detail = `something else is at its place: ${state.kind === 'damaged' ? state.detail : state.kind}`;
    if (file.remote !== undefined) return { fault: 'checksum', detail, canRepair: false };
    const entry: RecordedFile = { ...rest, state: 'damaged', isLocal: true, reason: detail };
    return { fault: 'checksum', detail, entry, canRepair: true };
  }

  /** It may have been restored from a copy. */
  async #verdictOnDamaged(file: RecordedFile, found: FoundFile): Promise<Verdict> {
    const { reason = 'it was found damaged before', sha256, ...rest } = file;
    if (sha256 !== undefined) {
      const state = await this.#options.disk.check(file.file, { bytes: file.bytes, sha256 });
      if (state.kind === 'intact') {
        const entry: RecordedFile = { ...rest, sha256, state: 'ready' };
        return { fault: 'found', detail: 'it is again what it was when it was finished', entry, canRepair: false };
      }
    }
    // Bytes that have changed in place can't be brought back, and a new checksum would only hide it.
    return { fault: 'damaged', detail: reason, canRepair: sha256 === undefined || found.bytes !== file.bytes };
  }

  /** @returns why it didn't help */
  async #repair(file: RecordedFile): Promise<string | undefined> {
    const { index, disk, events } = this.#options;
    try {
      const { bytes, durationMs, sha256 } = await disk.finish(file.file, file.container);
      // That of a file that grew is what it was made without.
      const reason = file.state === 'writing' ? file.reason : undefined;
      const whole: RecordedFile = { ...file, state: 'ready', reason, bytes, duration: durationMs, sha256 };
      await index.put(whole);
      events.emit('recording-file-ready', { file: whole });
      return undefined;
    } catch (error) {
      return `${file.reason ?? 'it is not whole'}; it could not be repaired: ${messageOf(error)}`;
    }
  }

  /** Files that weren't in the index when the folder was listed, which may be long ago. */
  async #checkUnknown(found: readonly FoundFile[], run: Run): Promise<void> {
    if (found.length === 0) return;
    const known = new Set<string>();
    for await (const { file } of this.#entries()) known.add(file);
    for (const file of found) {
      if (this.#isClosed) return;
      if (known.has(file.file) || this.#options.isInWork(file)) continue;
      run.files += 1;
      run.bytes += file.bytes;
      await this.#takeUp(file, run);
    }
  }

  async #takeUp(found: FoundFile, run: Run): Promise<void> {
    const about = { fault: 'unknown', file: found.file } as const;
    const entry = entryOf(found, this.#options.config());
    if (entry === undefined) {
      const detail = 'the index does not know it, and its name does not tell which stream it is of';
      run.find({ ...about, detail, repaired: false });
      return;
    }
    const failure = run.options.repair
      ? await this.#repair(entry)
      : `the index does not know it; it is of ${entry.path}`;
    const detail = failure ?? `the index did not know it; it is of ${entry.path}`;
    run.find({ ...about, id: failure === undefined ? entry.id : undefined, detail, repaired: failure === undefined });
  }

  async *#entries(): AsyncGenerator<RecordedFile> {
    for (let after: RecordedFile | undefined; ; ) {
      const page = await this.#options.index.query({ order: 'oldest', after, limit: PAGE });
      for (const file of page) {
        if (this.#isClosed) return;
        yield file;
      }
      after = page.at(-1);
      if (page.length < PAGE) return;
    }
  }
}

/** A check as it grows. */
class Run {
  readonly options: RecordingCheckOptions;
  readonly #startedAt: Millis;
  readonly #findings: RecordingFinding[] = [];
  endedAt: Millis | undefined;
  failure: string | undefined;
  files = 0;
  bytes = 0;
  #unlisted = 0;

  constructor(options: RecordingCheckOptions, startedAt: Millis) {
    this.options = options;
    this.#startedAt = startedAt;
  }

  find(finding: RecordingFinding): void {
    if (this.#findings.length < MOST_FINDINGS) this.#findings.push(finding);
    else this.#unlisted += 1;
  }

  snapshot(): RecordingCheckRun {
    const { options, endedAt, failure, files, bytes } = this;
    const findings = [...this.#findings];
    return { options, startedAt: this.#startedAt, endedAt, files, bytes, findings, unlisted: this.#unlisted, failure };
  }
}
