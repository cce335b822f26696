export { TsDemuxer, type TsEvent, type TsStats } from './demuxer.js';
export { TsMuxer } from './muxer.js';
