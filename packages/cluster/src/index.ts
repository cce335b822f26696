export { ClusterControl, type ClusterControlOptions } from './control/cluster-control.js';
export type { StreamFacts } from './control/messages.js';
export { PendingChanges } from './control/pending-changes.js';
export { ProcessMeter } from './control/process-figures.js';
export { RemoteSessions } from './control/remote-sessions.js';
export type { SharedKind } from './control/shared-bucket.js';
export { ClusterStreams } from './nats/cluster-streams.js';
export { NatsLink } from './nats/connection.js';
export type { NumberedFrame, RelayFrame, WireFrame } from './relay/frame.js';
export {
  type RelayBatch,
  type RelayLimits,
  type RelayLink,
  RelayOutput,
  type RelayOutputOptions,
  type RelaySink,
  relayOutputKind,
} from './relay/relay-output.js';
export { RelayedStream, type RelayedStreamOptions } from './relay/relayed-stream.js';
export { FrameReader } from './relay/wire/frame-reader.js';
export { packFrame } from './relay/wire/pack-frame.js';
export { DoorService } from './workers/door-service.js';
export { Line } from './workers/line.js';
export type { FromWorker, ToWorker, WorkerUsage } from './workers/messages.js';
export { PublishService } from './workers/publish-service.js';
export { Publishers } from './workers/publishers.js';
export { RelayService } from './workers/relay-service.js';
export { RelayedStreams } from './workers/relayed-streams.js';
export { RemoteDoorkeeper } from './workers/remote-doorkeeper.js';
export { RemotePublishing } from './workers/remote-publishing.js';
