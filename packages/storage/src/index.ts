export { StorageError, type StorageErrorCode } from './errors.js';
export { FilePlayback, type FilePlaybackOptions } from './playback/file-playback.js';
export { Storage } from './storage.js';
