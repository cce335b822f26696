import { MediaError } from '../errors.js';
import type { AudioCodec, Codec, VideoCodec } from '../track-config.js';

/** How a codec is named in FLV: its legacy number, and the four characters of Enhanced RTMP. */
interface FlvCodecId {
  readonly fourCc: string;
  /** CodecID of video, SoundFormat of audio; only where players know it. */
  readonly legacyId?: number;
}

/** Enhanced RTMP v2 has a FourCC for VP8; its form isn't written or read here. */
export type FlvVideoCodec = Exclude<VideoCodec, 'vp8'>;
export type FlvCodec = FlvVideoCodec | AudioCodec;

/** The one table of codecs that FLV and RTMP carry. */
export const FLV_CODECS: Readonly<Record<FlvCodec, FlvCodecId>> = {
  h264: { fourCc: 'avc1', legacyId: 7 },
  hevc: { fourCc: 'hvc1' },
  av1: { fourCc: 'av01' },
  vp9: { fourCc: 'vp09' },
  aac: { fourCc: 'mp4a', legacyId: 10 },
  mp3: { fourCc: '.mp3', legacyId: 2 },
  opus: { fourCc: 'Opus' },
};

const VIDEO_CODECS = ['h264', 'hevc', 'av1', 'vp9'] as const satisfies readonly FlvVideoCodec[];
const AUDIO_CODECS = ['aac', 'mp3', 'opus'] as const satisfies readonly AudioCodec[];

/** Names of legacy formats that are refused, for the message. FLV §E.4.2.1, §E.4.3.1. */
const LEGACY_VIDEO_NAMES: Readonly<Record<number, string>> = {
  2: 'Sorenson H.263',
  3: 'Screen Video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen Video 2',
};
const LEGACY_AUDIO_NAMES: Readonly<Record<number, string>> = {
  0: 'PCM',
  1: 'ADPCM',
  3: 'PCM',
  4: 'Nellymoser 16 kHz',
  5: 'Nellymoser 8 kHz',
  6: 'Nellymoser',
  7: 'G.711 A-law',
  8: 'G.711 mu-law',
  11: 'Speex',
  14: 'MP3 8 kHz',
};

/** Whether FLV and RTMP carry a codec. */
export function isFlvCodec(codec: Codec): codec is FlvCodec {
  return codec !== 'vp8';
}

/** @throws {MediaError} `unsupported` for a codec that isn't carried */
export function flvCodecIdOf(codec: Codec): FlvCodecId {
  if (isFlvCodec(codec)) return FLV_CODECS[codec];
  throw new MediaError('unsupported', `${codec} in FLV; H.264, HEVC, AV1, VP9, AAC, MP3 and Opus can be carried`);
}

export function videoCodecOf(fourCc: string): FlvVideoCodec {
  const codec = VIDEO_CODECS.find((candidate) => FLV_CODECS[candidate].fourCc === fourCc);
  if (codec === undefined) throw new MediaError('unsupported', `video codec ${JSON.stringify(fourCc)}`);
  return codec;
}

export function audioCodecOf(fourCc: string): AudioCodec {
  const codec = AUDIO_CODECS.find((candidate) => FLV_CODECS[candidate].fourCc === fourCc);
  if (codec === undefined) throw new MediaError('unsupported', `audio codec ${JSON.stringify(fourCc)}`);
  return codec;
}

export function unsupportedLegacyVideo(id: number): MediaError {
  return new MediaError('unsupported', `video codec ${LEGACY_VIDEO_NAMES[id] ?? `number ${id}`}; use H.264 or HEVC`);
}

export function unsupportedLegacyAudio(id: number): MediaError {
  return new MediaError('unsupported', `audio codec ${LEGACY_AUDIO_NAMES[id] ?? `number ${id}`}; use AAC, MP3 or Opus`);
}
