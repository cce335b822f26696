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
export type { FromWorker, ToWorker } from './workers/messages.js';
export { PublishService } from './workers/publish-service.js';
export { Publishers } from './workers/publishers.js';
export { RelayService } from './workers/relay-service.js';
export { RelayedStreams } from './workers/relayed-streams.js';
export { RemoteDoorkeeper } from './workers/remote-doorkeeper.js';
export { RemotePublishing } from './workers/remote-publishing.js';
