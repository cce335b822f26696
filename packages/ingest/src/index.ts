export { FileLoop } from './file-loop.js';
export { OnDemandPulls, OriginCheck, openPullLine, Pull, type PullContext } from './pull/index.js';
export { RtmpPublish } from './rtmp-publish.js';
export { SrtPublish } from './srt-publish.js';
export { WhipPublish } from './webrtc/whip-publish.js';
