export { FileLoop } from './file-loop.js';
export { RtmpPublish } from './rtmp-publish.js';
