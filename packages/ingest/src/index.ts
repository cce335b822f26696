export { FileLoop } from './file-loop.js';
export { RtmpPublish } from './rtmp-publish.js';
export { SrtPublish } from './srt-publish.js';
export { SrtPull } from './srt-pull.js';
export { WhipPublish } from './webrtc/whip-publish.js';
