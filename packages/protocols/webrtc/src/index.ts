export {
  type DtlsCertificate,
  DtlsEndpoint,
  type DtlsKeys,
  type DtlsOptions,
  isDtls,
  makeCertificate,
} from './dtls/index.js';
export { WebRtcError, type WebRtcErrorCode } from './errors.js';
export { type IceCredentials, IceLite, localUfragOf, makeCredentials, type Remote } from './session/ice-lite.js';
export { isStun, readStun, type StunMessage } from './wire/stun.js';
