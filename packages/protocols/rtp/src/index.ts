export { RtpError, type RtpErrorCode } from './errors.js';
export { H264Depacketiser, packetiseH264 } from './payload/h264.js';
export { type Depacketised, payloadOf, type RtpPayload } from './payload/payload.js';
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
