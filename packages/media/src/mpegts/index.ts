export { TsMuxer } from './muxer.js';
