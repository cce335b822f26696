import {
  type Clock,
  type EventBus,
  type LiveConfig,
  type Logger,
  type RecordingChecks,
  type RecordingControl,
  type RecordingRemoval,
  type StreamRouter,
  settingsFor,
} from '@sluice/core';
import { Recorder, RecordingChecker, RecordingDisk, RecordingRemover, Retention, type Storage } from '@sluice/storage';
import { recordingRoot } from './recording-root.js';

export interface RecordingsOptions {
  readonly live: LiveConfig;
  readonly router: StreamRouter;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly index: Storage['recordings'];
  readonly log: Logger;
}

/** Recording, put together: the directory on the disk, the index, the recorder, and what looks after its files. */
export class Recordings {
  /** The directory that all files are in. */
  readonly dir: string;
  readonly index: Storage['recordings'];
  readonly control: RecordingControl;
  readonly removal: RecordingRemoval;
  readonly checks: RecordingChecks;
  /** Bytes in memory that wait for the disk. */
  readonly waitingBytes: () => number;
  readonly #disk: RecordingDisk;
  readonly #recorder: Recorder;
  readonly #checker: RecordingChecker;
  readonly #retention: Retention;

  private constructor(options: RecordingsOptions) {
    const { live, events, index, clock, log } = options;
    this.dir = recordingRoot(live.current);
    this.index = index;
    const maxWaitingBytes = () => live.current.recording.maxWaitingBytes;
    const disk = RecordingDisk.start({ root: this.dir, maxWaitingBytes, log });
    const recorder = new Recorder({ ...options, files: disk });
    const now = () => clock.wall();
    const shared = { index, disk, events, now, log };
    const remover = new RecordingRemover(shared);
    const isInWork = ({ file }: { readonly file: string }) => recorder.isInWork(file);
    this.#checker = new RecordingChecker({ ...shared, isInWork, config: () => live.current });
    this.#retention = new Retention({
      ...shared,
      remover,
      settings: () => {
        const { keepFreeBytes, s3 } = live.current.recording;
        return { keepFreeBytes, areUploaded: s3.bucket !== undefined };
      },
      settingsFor: (path) => settingsFor(live.current, path).recording,
    });
    this.waitingBytes = () => disk.waitingBytes;
    this.#disk = disk;
    this.#recorder = recorder;
    this.control = recorder;
    this.removal = remover;
    this.checks = this.#checker;
  }

  /** Before any stream begins: takes up what an earlier run has left. */
  static async open(options: RecordingsOptions): Promise<Recordings> {
    const recordings = new Recordings(options);
    await recordings.#recorder.open();
    void recordings.#retention.run();
    return recordings;
  }

  /** Ends all recordings. Streams have ended by then. Resolves when files are whole, or left to the next start. */
  async close(reason: string): Promise<void> {
    await this.#retention.close();
    await this.#checker.close();
    await this.#recorder.close(reason);
    await this.#disk.close();
  }
}
