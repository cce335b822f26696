export { isFlvCodec } from './codec-ids.js';
export { FlvDemuxer } from './demuxer.js';
export { flvMetadataBody } from './metadata.js';
export { FlvMuxer } from './muxer.js';
export { completeFlvMetadata } from './recorded-metadata.js';
export { FlvSampleReader } from './sample-reader.js';
export { flvConfigBody, flvSampleBodyHeader, flvTagTypeOf } from './sample-writer.js';
export { coverFlvDamage, type FlvDamage, type FlvIndex, type FlvKeyframe, scanFlv } from './scan.js';
export * from './tag.js';
