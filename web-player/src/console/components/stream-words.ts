import { codecName } from '../../format.js';
import type { StreamView } from '../feed/views.js';
import type { I18n } from '../i18n/i18n.js';

/** What protocols are called. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  rtmp: 'RTMP',
  rtmps: 'RTMPS',
  'http-flv': 'HTTP-FLV',
  'ws-flv': 'WS-FLV',
  hls: 'HLS',
  dash: 'DASH',
  srt: 'SRT',
  webrtc: 'WebRTC',
  file: 'File',
  api: 'API',
  transcode: 'Transcode',
  snapshot: 'Snapshot',
  recording: 'Recording',
};

export function protocolName(protocol: string): string {
  return PROTOCOLS[protocol] ?? protocol;
}

/** `HLS 3 · WebRTC 1`; undefined where nobody watches. */
export function protocolCounts(counts: Readonly<Record<string, number>>, i18n: I18n): string | undefined {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return undefined;
  return entries.map(([protocol, n]) => `${protocolName(protocol)} ${i18n.format.number(n)}`).join(' · ');
}

/** `1280×720 · H.264 · AAC`; undefined where the encoder has not said it. */
export function tracksWords({ tracks }: Pick<StreamView, 'tracks'>): string | undefined {
  const video = tracks.find(({ kind }) => kind === 'video');
  const size = video?.width ? [`${video.width}×${video.height}`] : [];
  const codecs = tracks.map(({ codec }) => codecName(codec));
  return tracks.length === 0 ? undefined : [...size, ...codecs].join(' · ');
}
