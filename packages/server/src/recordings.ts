import {
  type Clock,
  type EventBus,
  type FfmpegProgram,
  type LiveConfig,
  type Logger,
  PictureMaker,
  type RecordedFile,
  type RecordingChecks,
  type RecordingControl,
  type RecordingRemoval,
  type StreamRouter,
  settingsFor,
} from '@sluice/core';
import {
  FilePlayback,
  Recorder,
  RecordingChecker,
  RecordingDisk,
  RecordingRemover,
  RemoteRecordings,
  Retention,
  type Storage,
} from '@sluice/storage';
import { recordingRoot } from './recording-root.js';

export interface RecordingsOptions {
  readonly live: LiveConfig;
  readonly router: StreamRouter;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly index: Storage['recordings'];
  /** How far uploads to the object store have come. */
  readonly uploads: Storage['uploads'];
  /** Makes pictures, where there is one. */
  readonly ffmpeg: FfmpegProgram | undefined;
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
  /** Copies in the object store. */
  readonly remote: RemoteRecordings;
  readonly playback: FilePlayback;
  /** Bytes in memory that wait for the disk. */
  readonly waitingBytes: () => number;
  /** Files that wait for the object store. */
  readonly waitingUploads: () => number;
  readonly #disk: RecordingDisk;
  readonly #recorder: Recorder;
  readonly #checker: RecordingChecker;
  readonly #retention: Retention;
  readonly #stopFollowing: () => void;

  private constructor(options: RecordingsOptions) {
    const { live, events, index, clock, log } = options;
    this.dir = recordingRoot(live.current);
    this.index = index;
    const maxWaitingBytes = () => live.current.recording.maxWaitingBytes;
    const disk = RecordingDisk.start({ root: this.dir, maxWaitingBytes, log });
    const recorder = new Recorder({ ...options, files: disk });
    const now = () => clock.wall();
    const shared = { index, disk, events, now, log };
    const s3 = () => live.current.recording.s3;
    const isUploading = () => s3().bucket !== undefined;
    const removeRemote = (file: RecordedFile) => this.remote.delete(file);
    const remover = new RecordingRemover({
      ...shared,
      get removeRemote() {
        return isUploading() ? removeRemote : undefined;
      },
    });
    this.remote = new RemoteRecordings({
      settings: s3,
      index,
      journal: options.uploads,
      events,
      root: this.dir,
      remover,
      clock,
      random: Math.random,
      log,
    });
    this.#stopFollowing = live.onChange(({ applied }) => {
      if (applied.some((key) => key.startsWith('recording.s3.'))) this.remote.changed();
    });
    const isInWork = ({ file }: { readonly file: string }) => recorder.isInWork(file);
    this.#checker = new RecordingChecker({ ...shared, isInWork, config: () => live.current });
    this.#retention = new Retention({
      ...shared,
      remover,
      settings: () => ({ keepFreeBytes: live.current.recording.keepFreeBytes, areUploaded: isUploading() }),
      settingsFor: (path) => settingsFor(live.current, path).recording,
    });
    this.waitingBytes = () => disk.waitingBytes;
    this.waitingUploads = () => this.remote.waiting;
    this.#disk = disk;
    this.#recorder = recorder;
    this.control = recorder;
    this.removal = remover;
    this.checks = this.#checker;
    const maker = new PictureMaker({ program: options.ffmpeg, limits: () => live.current.transcode });
    this.playback = new FilePlayback({ index, root: this.dir, remote: this.remote, clock, maker, log });
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
    // They may wait for the disk, which only its end cuts short.
    const upkeep = [this.#retention.close(), this.#checker.close(), this.playback.close()];
    this.#stopFollowing();
    await this.remote.close();
    await this.#recorder.close(reason);
    await this.#disk.close();
    await Promise.all(upkeep);
  }
}
