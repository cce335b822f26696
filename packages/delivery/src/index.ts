export { DashDelivery } from './dash/dash-delivery.js';
export { SegmentDisk } from './hls/disk/segment-disk.js';
export { HlsDelivery } from './hls/hls-delivery.js';
export type { PlaceFor } from './http/hand-on.js';
export { MediaHttpServer, type MediaRoutes } from './http/media-http.js';
export { Pages } from './http/pages.js';
export { RecordingDelivery } from './http/recording-delivery.js';
export { SdpExchange } from './http/sdp/sdp-exchange.js';
export { SnapshotPage } from './http/snapshot-page.js';
export { StatusPages } from './http/status.js';
export { HttpFlv } from './http-flv.js';
export { Push, type PushContext, pushLines } from './push/index.js';
export { RtmpPlay } from './rtmp-play.js';
export { SrtPlay } from './srt-play.js';

export { type TsOutput, tsOutputKind } from './ts/ts-output.js';
export { rtpOutputKind } from './webrtc/rtp-output.js';
export { WhepPlay } from './webrtc/whep-play.js';
export { WsFlv } from './ws-flv.js';
