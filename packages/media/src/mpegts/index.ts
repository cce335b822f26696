export { TsDemuxer } from './demuxer.js';
export type { TsEvent, TsStats } from './events.js';
export { TsMuxer } from './muxer.js';
