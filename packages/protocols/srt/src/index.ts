export {
  type CallOptions,
  type ConnectOptions,
  type RendezvousCallOptions,
  srtCall,
  srtConnect,
  srtRendezvous,
} from './client/caller.js';
export { SrtError, type SrtErrorCode } from './errors.js';
export {
  type SrtGrant,
  SrtListener,
  type SrtListenerOptions,
  type SrtLog,
  SrtRefusal,
  type SrtRequest,
} from './server/listener.js';
export { SrtSocket, type SrtSocketHandler } from './server/srt-socket.js';
export { isKnockAnswer, writeKnock } from './session/knock.js';
export type { PeerAddress } from './session/listener-handshake.js';
export { REJECTION, type RejectionCode, rejectionName, SrtRejected } from './session/rejection.js';
export type { SrtStatistics } from './session/statistics.js';
export { DEFAULT_OPTIONS, type SrtOptions } from './session/terms.js';
export { readSrtUrl, type SrtTarget } from './srt-url.js';
export { readStreamId, type StreamRequest } from './stream-id.js';
