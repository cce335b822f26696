export { TsDemuxer } from './demuxer.js';
export type { TsEvent, TsStats } from './events.js';
export { TS_TIME_OFFSET, TsMuxer } from './muxer.js';
export { scanTsTimes, type TsTimes, wholeTsPackets } from './scan.js';
