export * from './recorded-file.js';
export * from './recording-control.js';
export * from './recording-error.js';
export * from './recording-index.js';
export * from './recording-playback.js';
export * from './remote-files.js';
