export type { RelayFrame } from './relay/frame.js';
