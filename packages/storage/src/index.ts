export { StorageError, type StorageErrorCode } from './errors.js';
export { ObjectStoreError } from './object-store/errors.js';
export { probeObjectStore } from './object-store/probe.js';
export { RemoteRecordings } from './object-store/remote-recordings.js';
export { Storage } from './storage.js';
