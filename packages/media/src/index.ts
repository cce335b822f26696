export * from './errors.js';
export * from './sample.js';
export * from './time.js';
export * from './track-config.js';
