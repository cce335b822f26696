export { StorageError, type StorageErrorCode } from './errors.js';
export { Recorder } from './recorder/recorder.js';
export type { RecordingFiles } from './recorder/recording-files.js';
export { Storage } from './storage.js';
