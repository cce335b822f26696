import type { VideoCodec, VideoTrackConfig } from '@sluice/media';
import type { RenditionSettings } from '../config/transcode-schema.js';

/**
 * Milliseconds of a core per million pixels. Measured on an AMD EPYC with ffmpeg 5.1, x264 164 and x265 3.5: 1080p30
 * with noise, scaled to 720p, 480p and 240p. What could not be measured there is an estimate: x265's slowest presets,
 * and chips. Other machines differ; the order of the presets does not.
 */
const DECODE: Readonly<Record<VideoCodec, number>> = { h264: 1.9, hevc: 2.4, av1: 2.4, vp9: 2.3, vp8: 1.5 };
/** Of the source's pixels, for each rendition. */
const SCALE = 0.9;
const DEINTERLACE = 1.2;
/** Of the rendition's pixels. */
const OVERLAY = 0.8;
/** The presets of x264 and x265 have the same names. */
const ENCODE = {
  h264: {
    ultrafast: 3.6,
    superfast: 6.6,
    veryfast: 9.8,
    faster: 14.4,
    fast: 19,
    medium: 23.5,
    slow: 34,
    slower: 56,
    veryslow: 120,
  },
  hevc: {
    ultrafast: 20,
    superfast: 30,
    veryfast: 37,
    faster: 37,
    fast: 45,
    medium: 57,
    slow: 140,
    slower: 330,
    veryslow: 600,
  },
} as const;
/** What only brings the pictures to a chip. */
const HARDWARE = 0.6;
const HARDWARE_ENCODER = /_(vaapi|nvenc|qsv|videotoolbox|amf|v4l2m2m|omx|mf|mediacodec|rkmpp)$/;
/** Cores, for each rendition with sound of its own. */
const SOUND = 0.015;
const USUAL_RATE = 30;

/** What a source's pictures are like. */
export interface SourcePicture {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  /** Pictures per second. */
  readonly rate: number;
}

/** @param told the encoder's own word on its frame rate */
export function sourcePictureOf(config: VideoTrackConfig, told: unknown): SourcePicture {
  const { codec, width, height, frameRate } = config;
  const rate = frameRate ?? (typeof told === 'number' && told > 0 && told <= 240 ? told : USUAL_RATE);
  // Where a configuration doesn't tell a size, the usual one.
  return { codec, width: width || 1920, height: height || 1080, rate };
}

/** The size of a rendition: never larger than its source, of its shape, and even. */
export function renditionSize(
  source: Pick<SourcePicture, 'width' | 'height'>,
  height: number,
): { readonly width: number; readonly height: number } {
  const even = (length: number) => Math.max(2, 2 * Math.round(length / 2));
  const own = Math.min(height, source.height);
  return { width: even((source.width * own) / source.height), height: even(own) };
}

/** Whether it is a chip that encodes. */
export function isHardwareEncoder(encoder: string | undefined): boolean {
  return encoder !== undefined && HARDWARE_ENCODER.test(encoder);
}

/** What it costs to decode a source, in cores: once, however many renditions there are. */
export function decodingCost({ codec, width, height, rate }: SourcePicture): number {
  return (DECODE[codec] * width * height * rate) / 1e9;
}

/** What a rendition costs beside the decoding, in cores. @param source undefined where there is no picture */
export function renditionCost(settings: RenditionSettings, source: SourcePicture | undefined): number {
  const sound = settings.audio === 'aac' || settings.audio === 'opus' ? SOUND : 0;
  if (source === undefined || settings.codec === 'none') return sound;
  const { width, height } = renditionSize(source, settings.height ?? source.height);
  const rate = Math.min(source.rate, settings.frameRate ?? source.rate);
  const before = SCALE + (settings.deinterlace ? DEINTERLACE : 0);
  const after = encodingFactor(settings) + (settings.watermark === undefined ? 0 : OVERLAY);
  return sound + (before * source.width * source.height * rate + after * width * height * rate) / 1e9;
}

/** @returns the dearest that there is for a preset that nobody has measured */
function encodingFactor({ codec, encoder, preset = 'veryfast' }: RenditionSettings): number {
  if (isHardwareEncoder(encoder)) return HARDWARE;
  const factors: Readonly<Record<string, number>> = ENCODE[codec === 'hevc' ? 'hevc' : 'h264'];
  return Object.hasOwn(factors, preset) ? (factors[preset] ?? 0) : Math.max(...Object.values(factors));
}
