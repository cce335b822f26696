export type { BreakDuration, SpliceCommand, SpliceInsert } from './splice-command.js';
export type { SegmentationDescriptor, SpliceDescriptor, Upid } from './splice-descriptor.js';
export { moveSpliceTimes, parseSpliceInfo, type SpliceInfo, spliceTimeOf } from './splice-info.js';
export { type SpliceMark, spliceMarksOf } from './splice-mark.js';
