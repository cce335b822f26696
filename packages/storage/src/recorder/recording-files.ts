import type { RecordingDisk } from './disk/recording-disk.js';

/** The recording root, as the recorder uses it. */
export type RecordingFiles = Pick<RecordingDisk, 'create' | 'finish' | 'list' | 'remove'>;
