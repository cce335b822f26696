export { NamingError, NamingTemplate, type RecordingNameValues } from './naming-template.js';
export * from './recorded-file.js';
export * from './recording-control.js';
export * from './recording-error.js';
export * from './recording-index.js';
export * from './recording-playback.js';
export * from './recording-upkeep.js';
export * from './remote-files.js';
