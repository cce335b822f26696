import { join } from 'node:path';
import type { Clock, EventBus, LiveConfig, Logger, RecordingControl, RecordingIndex, StreamRouter } from '@sluice/core';
import { Recorder, type RecordingFiles } from '@sluice/storage';

export interface RecordingsOptions {
  readonly live: LiveConfig;
  readonly router: StreamRouter;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly index: RecordingIndex;
  readonly log: Logger;
}

/** Recording, put together: the root on the disk, the index, and the recorder. */
export class Recordings {
  /** The recording root. */
  readonly dir: string;
  readonly index: RecordingIndex;
  readonly #recorder: Recorder;

  constructor(options: RecordingsOptions, files: RecordingFiles) {
    const { recording, data } = options.live.current;
    this.dir = recording.dir ?? join(data.dir, 'recordings');
    this.index = options.index;
    this.#recorder = new Recorder({ ...options, files });
  }

  get control(): RecordingControl {
    return this.#recorder;
  }

  /** Ends all recordings. Streams have ended by then. Resolves when files are whole, or left to the next start. */
  async close(reason: string): Promise<void> {
    await this.#recorder.close(reason);
  }
}
