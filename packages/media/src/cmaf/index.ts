export { CbcsEncryptor } from './encryption/cbcs-encryptor.js';
export type { Protection } from './encryption/protection-boxes.js';
export { EVENT_SCHEME, type EventMessage, eventMessageOf } from './event-message.js';
export { type Fragment, type FragmentOptions, writeFragment, writeFragmentHead } from './fragment.js';
export { FragmentWriter } from './fragment-writer.js';
export {
  type GrowingMp4Head,
  type GrowingMp4Options,
  type Mp4FinishPlan,
  type Mp4FinishStep,
  mp4MovieRoom,
  planMp4Finish,
  writeGrowingMp4Head,
} from './growing-mp4.js';
export { type InitSegmentOptions, type InitTrackOptions, writeInitSegment } from './init-segment.js';
export { type MovieTrackSamples, writeMp4Head } from './movie.js';
export { type FoundBox, readBoxes } from './reading/boxes.js';
export { ByteQueue } from './reading/byte-queue.js';
export { Fmp4Reader, type Mp4Event } from './reading/fmp4-reader.js';
export { readMp4 } from './reading/mp4-file.js';
export {
  type ByteRange,
  type Mp4Damage,
  type Mp4Index,
  type Mp4SampleTimes,
  type Mp4TrackIndex,
  mp4Duration,
  mp4Sample,
  mp4SampleTimes,
} from './reading/mp4-index.js';
export { scanMp4 } from './reading/scan-mp4.js';
export type { FileRead, Reading } from './reading/scan-window.js';
export type { TrackRun, TrackRunHead } from './track-run.js';
export { microsFromTicks, ticksFromMicros, timescaleOf } from './track-time.js';
