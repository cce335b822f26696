export { RtpError, type RtpErrorCode } from './errors.js';
export {
  Av1Depacketiser,
  type Depacketised,
  type Depacketiser,
  H264Depacketiser,
  HevcDepacketiser,
  packetiseAv1,
  packetiseH264,
  packetiseHevc,
  packetiseOpus,
  packetiseVp8,
  packetiseVp9,
  type RtpPayload,
  Vp8Depacketiser,
  Vp9Depacketiser,
} from './payload/index.js';
export { ArrivalLog } from './receive/arrival-log.js';
export { JitterBuffer, type JitterOutput } from './receive/jitter-buffer.js';
export { Reception } from './receive/reception.js';
export { BandwidthEstimate } from './send/bandwidth-estimate.js';
export { FrameBudget } from './send/frame-budget.js';
export type { SrtpMasterKey, SrtpProfile } from './srtp/profile.js';
export { SrtpReceiver } from './srtp/srtp-receiver.js';
export { SrtpSender } from './srtp/srtp-sender.js';
export { EXTENSION_URI, readHeaderExtension, writeHeaderExtension } from './wire/header-extension.js';
export { type ReceptionReport, type RtcpPacket, readRtcp, writeRtcp } from './wire/rtcp.js';
export {
  isRtcp,
  type RtpHeaderFields,
  type RtpPacket,
  readRtp,
  type Ssrc,
  sequenceDistance16,
  Unwrapper,
  writeRtpHeader,
} from './wire/rtp.js';
