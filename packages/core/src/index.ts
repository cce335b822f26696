export * from './access/bans.js';
export * from './access/credentials/credential-check.js';
export * from './access/credentials/credentials.js';
export * from './access/credentials/failure-limiter.js';
export * from './access/credentials/jwt-check.js';
export * from './access/credentials/network-binding.js';
export * from './access/credentials/password-check.js';
export * from './access/credentials/signed-url-check.js';
export * from './access/credentials/stream-key-check.js';
export * from './access/credentials/token-issuer.js';
export { wmsAuthIdentity } from './access/credentials/wms-auth.js';
export * from './access/credentials/wms-auth-check.js';
export * from './access/forwarded.js';
export * from './access/gate.js';
export * from './access/network.js';
export * from './access/network-rules.js';
export * from './access/request.js';
export * from './access/session.js';
export * from './access/session-record.js';
export * from './access/session-registry.js';
export * from './accounts/directory.js';
export * from './accounts/keys.js';
export * from './accounts/password-verifier.js';
export * from './accounts/passwords.js';
export * from './accounts/records.js';
export * from './accounts/roles.js';
export * from './audit.js';
export * from './bbb/capture-control.js';
export * from './clock.js';
export * from './config/entries.js';
export * from './config/ice-url.js';
export * from './config/live-config.js';
export * from './config/load.js';
export { type CaptureProfile, defaultCaptureProfile } from './config/schema/bbb.js';
export { type AccessMode, type AccessSettings, type Config, configSchema, type PathSettings } from './config/schema.js';
export * from './config/secrets.js';
export * from './errors.js';
export * from './events.js';
export type { BatchLogLimits } from './fanout/batch-log.js';
export * from './fanout/fan-out.js';
export * from './fanout/flush-scheduler.js';
export * from './fanout/for-path.js';
export * from './fanout/viewer.js';
export * from './logger.js';
export * from './outbox.js';
export * from './path-pattern.js';
export * from './persistent.js';
export * from './record-store.js';
export * from './recording/index.js';
export * from './stream-path.js';
export type { ConvertSound, SoundConversion, SoundNeeds } from './streams/converted-sound.js';
export * from './streams/output.js';
export * from './streams/router.js';
export { type ReceivedMedia, Stream, type StreamState } from './streams/stream.js';
export * from './token-buckets.js';
export * from './traffic/traffic-meter.js';
export * from './transcode/ffmpeg-path.js';
export type { FfmpegProgram } from './transcode/ffmpeg-process.js';
export { type Snapshot, Snapshots } from './transcode/snapshots.js';
export * from './transcode/sound.js';
export * from './transcode/track-converter.js';
export {
  type DeclaredVideo,
  type RenditionDirectory,
  type RenditionInfo,
  Transcoder,
  type TranscoderStatus,
} from './transcode/transcoder.js';
