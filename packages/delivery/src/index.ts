export { HlsDelivery } from './hls/hls-delivery.js';
export { MediaHttpServer, type MediaRoutes } from './http/media-http.js';
export { Pages } from './http/pages.js';
export { StatusPages } from './http/status.js';
export { HttpFlv } from './http-flv.js';
export { RtmpPlay } from './rtmp-play.js';
export { SrtPlay } from './srt-play.js';
export { WsFlv } from './ws-flv.js';
