export { StorageError, type StorageErrorCode } from './errors.js';
export { RecordingDiskError, type RecordingDiskErrorCode } from './recorder/disk/errors.js';
export type { CheckResult, ExpectedFile, FinishedFile, FoundFile } from './recorder/disk/finisher-protocol.js';
export type { GrowingFile, GrowingFileEvents, GrowingFileOptions } from './recorder/disk/growing-file.js';
export type { DiskSpace, ReservedRoom } from './recorder/disk/protocol.js';
export { RecordingDisk, type RecordingDiskOptions } from './recorder/disk/recording-disk.js';
export { Recorder } from './recorder/recorder.js';
export type { RecordingFiles } from './recorder/recording-files.js';
export { Storage } from './storage.js';
