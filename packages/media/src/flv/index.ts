export { isFlvCodec } from './codec-ids.js';
export { FlvDemuxer } from './demuxer.js';
export { flvMetadataBody } from './metadata.js';
export { FlvMuxer } from './muxer.js';
export { FlvSampleReader } from './sample-reader.js';
export { flvConfigBody, flvSampleBodyHeader, flvTagTypeOf } from './sample-writer.js';
export * from './tag.js';
