export { StorageError, type StorageErrorCode } from './errors.js';
export { Storage } from './storage.js';
