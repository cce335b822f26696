export { Av1Depacketiser } from './av1.js';
export { packetiseAv1 } from './av1-packetiser.js';
export type { Depacketiser } from './depacketiser.js';
export { H264Depacketiser, packetiseH264 } from './h264.js';
export { HevcDepacketiser, packetiseHevc } from './hevc.js';
export { packetiseOpus } from './opus.js';
export type { Depacketised, RtpPayload } from './payload.js';
export { packetiseVp8, Vp8Depacketiser } from './vp8.js';
export { packetiseVp9, Vp9Depacketiser } from './vp9.js';
