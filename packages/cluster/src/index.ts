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
