import {
  type ActiveRecording,
  type Clock,
  type EventBus,
  type Logger,
  NamingTemplate,
  type RecordingContainer,
  type RecordingIndex,
  type RecordingState,
  type RecordingTrouble,
  type StreamPath,
} from '@sluice/core';
import type { Millis } from '@sluice/media';
import type { Finishing } from './finishing.js';
import { RecordingFile } from './recording-file.js';
import type { RecordingFiles } from './recording-files.js';
import type { RecordingSettings } from './recording-output.js';
import type { FileOpening, FileSink, RecordingSink } from './recording-sink.js';

export interface RecordingOptions {
  readonly id: string;
  readonly path: StreamPath;
  readonly container: RecordingContainer;
  readonly startedBy: ActiveRecording['startedBy'];
  readonly settings: () => RecordingSettings;
  readonly isLive: () => boolean;
  readonly files: RecordingFiles;
  readonly finishing: Finishing;
  readonly index: RecordingIndex;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
}

/** The disk is tried again after so long. */
const RETRY_MS = 1000;

interface Trouble {
  readonly trouble: RecordingTrouble;
  readonly detail: string;
  readonly since: Millis;
  /** Monotonic. */
  readonly retryAt: number;
}

/** A recording from its start to its stop: one file after the other, and what to do where the disk can't take them. */
export class Recording implements RecordingSink {
  readonly id: string;
  readonly path: StreamPath;
  readonly container: RecordingContainer;
  readonly startedBy: ActiveRecording['startedBy'];
  readonly startedAt: Millis;
  readonly #options: RecordingOptions;
  /** Why, by what is left out. */
  readonly #leftOut = new Map<string, string>();
  #file: RecordingFile | undefined;
  #trouble: Trouble | undefined;
  #files = 0;
  #bytesBefore = 0;
  #lost = 0;
  #isOver = false;

  constructor(options: RecordingOptions) {
    this.#options = options;
    this.id = options.id;
    this.path = options.path;
    this.container = options.container;
    this.startedBy = options.startedBy;
    this.startedAt = options.clock.wall();
  }

  /** The file that grows, under the recording root. */
  get file(): string | undefined {
    return this.#file?.row.file;
  }

  get status(): ActiveRecording {
    const { id, path, container, startedBy, startedAt } = this;
    const reason = [...this.#leftOut].map(([what, why]) => `${what}: ${why}`).join('; ');
    return {
      ...{ id, path, container, startedBy, startedAt },
      state: this.#state(),
      file: this.file,
      files: this.#files,
      bytes: this.#bytesBefore + (this.#file?.keptBytes ?? 0),
      ...(reason === '' ? {} : { reason }),
    };
  }

  get canBegin(): boolean {
    return this.#trouble === undefined || this.#options.clock.monotonic() >= this.#trouble.retryAt;
  }

  begin({ startedAt, tracks, reason, reserve }: FileOpening): FileSink {
    const { index, files, log, newId } = this.#options;
    this.#leave();
    const { path, container } = this;
    const id = newId();
    const name = NamingTemplate.parse(this.#options.settings().name).expand({ path, startedAt, id, container });
    const file: RecordingFile = new RecordingFile({
      row: {
        ...{ id, recording: this.id, path, container, file: name, startedAt, tracks, reason },
        ...{ state: 'writing', duration: 0, bytes: 0, gaps: [], isLocal: true },
      },
      reserve,
      events: {
        opened: () => {
          this.#files += 1;
        },
        written: () => this.#goOn(file),
        failed: (trouble, detail) => this.#pause(file, trouble, detail),
      },
      ...{ files, index, log },
    });
    this.#file = file;
    return {
      get failed() {
        return file.failed;
      },
      get kept() {
        return file.kept;
      },
      beganAt: (at) => file.beganAt(at),
      append: (bytes, duration) => file.append(bytes, duration),
      gap: (gap) => file.gap(gap),
      end: () => this.#leave(),
    };
  }

  lost(duration: number): void {
    this.#lost += duration;
  }

  leftOut(what: string, why: string): void {
    if (this.#leftOut.has(what)) return;
    this.#leftOut.set(what, why);
    const { id: recording, path, container } = this;
    this.#options.log.warn({ recording, path, container, detail: why }, `the recording is made ${what}`);
  }

  /** Nothing more is recorded, for that reason. */
  ended(reason: string): void {
    this.#leave();
    this.#isOver = true;
    const { id: recording, path } = this;
    const lostMs = this.#lost;
    if (lostMs > 0) this.#options.log.error({ recording, path, lostMs }, 'the recording ends while the disk fails');
    this.#options.log.info({ recording, path, reason }, 'recording ends');
    this.#options.events.emit('recording-ended', { path, recording, reason });
  }

  #state(): RecordingState {
    if (this.#trouble !== undefined) {
      const { trouble, detail, since } = this.#trouble;
      return { kind: 'paused', trouble, detail, since };
    }
    return { kind: this.#file !== undefined && this.#options.isLive() ? 'recording' : 'waiting' };
  }

  /** Nothing more comes for the file: it is finished when it is on the disk. */
  #leave(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    this.#bytesBefore += file.keptBytes;
    this.#options.finishing.finish(file);
  }

  #pause(file: RecordingFile, trouble: RecordingTrouble, detail: string): void {
    const { clock, events, log } = this.#options;
    const { id: recording, path } = this;
    if (this.#isOver) {
      const { row, waiting: lostMs } = file;
      log.error(
        { recording, path, file: row.file, trouble, detail, lostMs },
        'the end of a recorded file is not on the disk',
      );
      return;
    }
    // Of its end nobody else knows, where the next file has begun.
    if (file === this.#file) this.#leave();
    else this.#lost += file.waiting;
    const before = this.#trouble;
    const retryAt = clock.monotonic() + RETRY_MS;
    this.#trouble = { trouble, detail, since: before?.since ?? clock.wall(), retryAt };
    if (before !== undefined) return;
    log.error({ recording, path, trouble, detail }, 'the recording pauses; live goes on');
    events.emit('recording-paused', { path, recording, trouble, detail });
  }

  /** One that has failed may still get what it was given before. */
  #goOn(written: RecordingFile): void {
    if (this.#trouble === undefined || this.#file !== written) return;
    this.#trouble = undefined;
    const { id: recording, path } = this;
    this.#options.log.warn({ recording, path, lostMs: this.#lost }, 'the recording goes on in a new file');
    this.#lost = 0;
    this.#options.events.emit('recording-resumed', { path, recording });
  }
}
