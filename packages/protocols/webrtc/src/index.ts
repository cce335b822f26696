export { WebRtcError, type WebRtcErrorCode } from './errors.js';
export { type IceCredentials, IceLite, localUfragOf, makeCredentials, type Remote } from './session/ice-lite.js';
export { isStun, readStun, type StunMessage } from './wire/stun.js';
