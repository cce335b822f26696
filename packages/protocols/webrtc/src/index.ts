export { type DtlsCertificate, DtlsEndpoint, isDtls, makeCertificate } from './dtls/index.js';
export { WebRtcError, type WebRtcErrorCode } from './errors.js';
export type { AnsweredMedia } from './sdp/answer.js';
export { FRAGMENT_TYPE } from './sdp/fragment.js';
export {
  type Direction,
  MOST_SDP_BYTES,
  type Offer,
  type OfferedCodec,
  type OfferedMedia,
  readOffer,
  transportSequenceIdOf,
} from './sdp/offer.js';
export type { MappedAddress } from './server/address-discovery.js';
export { type AnnouncedAddress, type Peer, type PeerHandler, WebRtcServer } from './server/webrtc-server.js';
export { askStunServer } from './turn/ask-stun.js';
export { type TurnCredentials, turnCredentials } from './turn/credentials.js';
export { type TurnTrial, tryTurnServer } from './turn/try-turn.js';
export { isStun, STUN_TYPE, writeStun } from './wire/stun.js';
