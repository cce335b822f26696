export type { ApiVersion, Attendee, MeetingInfo } from './api/answers.js';
export { BbbClient, type BbbClientOptions, type CreateRequest, type JoinRequest } from './api/bbb-client.js';
export { refusalInUrl } from './api/call.js';
export type { ChecksumAlgorithm } from './api/checksum.js';
export { BbbError, type BbbErrorCode } from './api/errors.js';
export { readJoinLink, tryJoinLink } from './api/join-link.js';
export { listenerUserdata } from './api/listener-userdata.js';
export { type MeetingEvent, type WatchOptions, watchMeeting } from './api/meeting-watch.js';
export { readSecretFile, SecretFileError, type SecretFileFault } from './api/secret-file.js';
export { SecretUrl } from './api/secret-url.js';
export { CaptureBrowser } from './browser/browser.js';
export { findChromium } from './browser/find-chromium.js';
export {
  type Generation,
  type MeetingOptions,
  type MeetingSession,
  openMeeting,
  type SessionEvent,
} from './browser/meeting-session.js';
export { CaptureError } from './capture/capture-error.js';
export { MEDIA_PORTS, type PreflightOptions, preflight } from './preflight/preflight.js';
export type { PreflightTarget } from './preflight/rtmp-target.js';
export { Publisher, type PublisherState } from './publish/publisher.js';
export { allowTarget, originOf, PublishTarget } from './publish/target.js';
export { CaptureSupervisor } from './supervision/supervisor.js';
