import type { OpenSession, Session, Stream, StreamTraffic, TrafficFigures } from '@sluice/core';
import type { AudioCodec, AudioTrackConfig, VideoCodec, VideoTrackConfig } from '@sluice/media';
import type { SrsClient, SrsStream } from './schemas.js';

/** There is one virtual host, under the name that SRS gives its own. */
export const VHOST = '__defaultVhost__';

const VIDEO_NAMES: Readonly<Record<VideoCodec, NonNullable<SrsStream['video']>['codec']>> = {
  h264: 'H264',
  hevc: 'HEVC',
  av1: 'AV1',
  vp9: 'VP9',
  vp8: 'VP8',
};
const AUDIO_NAMES: Readonly<Record<AudioCodec, NonNullable<SrsStream['audio']>['codec']>> = {
  aac: 'AAC',
  mp3: 'MP3',
  opus: 'Opus',
};

/** `live/room/show` → app `live/room`, stream `show`. */
export function appAndStream(path: string): { readonly app: string; readonly stream: string } {
  const slash = path.lastIndexOf('/');
  return { app: path.slice(0, slash), stream: path.slice(slash + 1) };
}

export function kbpsOf({ kbps }: TrafficFigures): { recv_30s: number; send_30s: number } {
  return { recv_30s: Math.round(kbps.received), send_30s: Math.round(kbps.sent) };
}

export function srsStream(
  stream: Stream,
  context: { id: string; vhostId: string; publisher: Session | undefined; figures: StreamTraffic },
): SrsStream {
  const { publisher, figures } = context;
  const { app, stream: name } = appAndStream(stream.path);
  const { received } = stream;
  const { tracks } = stream.description;
  return {
    id: context.id,
    name,
    vhost: context.vhostId,
    app,
    tcUrl: publisher === undefined ? '' : tcUrlOf(publisher),
    url: `/${stream.path}`,
    live_ms: stream.startedAt,
    clients: figures.sessions,
    frames: received.frames,
    audio_frames: received.audioFrames,
    video_frames: received.videoFrames,
    send_bytes: figures.sent,
    recv_bytes: figures.received,
    kbps: kbpsOf(figures),
    publish: publisher === undefined ? { active: false } : { active: true, cid: publisher.id },
    video: videoOf(tracks.find((track) => track.kind === 'video')),
    audio: audioOf(tracks.find((track) => track.kind === 'audio')),
  };
}

export function srsClient(
  { session }: OpenSession,
  context: { vhostId: string; streamId: string; figures: TrafficFigures; now: number },
): SrsClient {
  const { figures, now } = context;
  return {
    id: session.id,
    vhost: context.vhostId,
    stream: context.streamId,
    ip: session.ip,
    pageUrl: withoutQuery(session.client.pageUrl),
    swfUrl: withoutQuery(session.client.swfUrl),
    tcUrl: tcUrlOf(session),
    url: `/${session.path}`,
    name: appAndStream(session.path).stream,
    type: clientType(session),
    publish: session.action === 'publish',
    alive: Math.max(0, (now - session.openedAt) / 1000),
    send_bytes: figures.sent,
    recv_bytes: figures.received,
    kbps: kbpsOf(figures),
  };
}

function clientType({ action, protocol }: Session): SrsClient['type'] {
  if (protocol === 'webrtc') return action === 'publish' ? 'rtc-publish' : 'rtc-play';
  if (protocol === 'srt') return action === 'publish' ? 'srt-publish' : 'srt-play';
  if (action === 'publish') return 'fmle-publish';
  // SRS has no name for DASH.
  if (protocol === 'hls' || protocol === 'dash') return 'hls-play';
  return protocol === 'http-flv' || protocol === 'ws-flv' ? 'flv-play' : 'rtmp-play';
}

/** As the client told it, or as an RTMP client would have; never with a query, which may hold a key. */
function tcUrlOf({ client, path }: Session): string {
  return client.tcUrl === undefined ? `rtmp://${VHOST}/${appAndStream(path).app}` : withoutQuery(client.tcUrl);
}

function withoutQuery(url = ''): string {
  return url.split('?', 1)[0] ?? '';
}

function videoOf(track: VideoTrackConfig | undefined): SrsStream['video'] {
  if (track === undefined) return null;
  const { codec, profile = '', level = '', width, height } = track;
  return { codec: VIDEO_NAMES[codec], profile, level, width, height };
}

function audioOf(track: AudioTrackConfig | undefined): SrsStream['audio'] {
  if (track === undefined) return null;
  const { codec, sampleRate, channels, profile = '' } = track;
  return { codec: AUDIO_NAMES[codec], sample_rate: sampleRate, channel: channels, profile };
}
