import { MediaError } from '../errors.js';
import type { AudioTrackConfig, TrackId } from '../track-config.js';

/** An MPEG audio frame header, ISO 11172-3 §2.4.1.3 and ISO 13818-3. */
export interface Mp3FrameHeader {
  readonly layer: 1 | 2 | 3;
  readonly sampleRate: number;
  readonly channels: number;
  /** bit/s */
  readonly bitrate: number;
  /** Bytes, header included. */
  readonly frameLength: number;
  readonly samplesPerFrame: number;
}

/** kbit/s by bitrate index. */
const BITRATES = {
  v1l1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  v1l2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  v1l3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2l1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  v2l23: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;
const SAMPLE_RATES = [44100, 48000, 32000] as const;
/** By the version's two bits: 2.5, reserved, 2, 1. */
const RATE_DIVISORS = [4, 0, 2, 1] as const;
const MONO = 3;

/**
 * @returns undefined while fewer than 4 bytes are there
 * @throws {MediaError} `malformed` where there is no frame header, `unsupported` for free-format frames
 */
export function parseMp3FrameHeader(bytes: Buffer, offset = 0): Mp3FrameHeader | undefined {
  if (bytes.length - offset < 4) return undefined;
  const word = bytes.readUInt32BE(offset);
  const version = (word >>> 19) & 3;
  const layerBits = (word >>> 17) & 3;
  const bitrateIndex = (word >>> 12) & 0xf;
  const divisor = RATE_DIVISORS[version] ?? 0;
  const baseRate = SAMPLE_RATES[(word >>> 10) & 3];
  if (word >>> 21 !== 0x7ff || divisor === 0 || layerBits === 0 || bitrateIndex === 15 || baseRate === undefined) {
    throw new MediaError('malformed', `no MPEG audio frame header but 0x${word.toString(16).padStart(8, '0')}`);
  }
  if (bitrateIndex === 0) throw new MediaError('unsupported', 'free-format MPEG audio');
  const layer = (4 - layerBits) as 1 | 2 | 3;
  const isVersion1 = divisor === 1;
  const bitrate = bitrateOf(isVersion1, layer, bitrateIndex) * 1000;
  const sampleRate = baseRate / divisor;
  const padding = (word >>> 9) & 1;
  const samplesPerFrame = layer === 1 ? 384 : layer === 3 && !isVersion1 ? 576 : 1152;
  const frameLength =
    layer === 1
      ? (Math.floor((12 * bitrate) / sampleRate) + padding) * 4
      : Math.floor(((samplesPerFrame / 8) * bitrate) / sampleRate) + padding;
  const channels = ((word >>> 6) & 3) === MONO ? 1 : 2;
  return { layer, sampleRate, channels, bitrate, frameLength, samplesPerFrame };
}

function bitrateOf(isVersion1: boolean, layer: 1 | 2 | 3, index: number): number {
  const v1 = [BITRATES.v1l1, BITRATES.v1l2, BITRATES.v1l3][layer - 1];
  const table = isVersion1 ? v1 : layer === 1 ? BITRATES.v2l1 : BITRATES.v2l23;
  return table?.[index] ?? 0;
}

/**
 * An MP3 track has no configuration record: its first frame tells.
 *
 * @throws {MediaError} where there is no frame header, `unsupported` for layers I and II
 */
export function mp3TrackConfig(track: TrackId, firstFrame: Buffer): AudioTrackConfig {
  const header = parseMp3FrameHeader(firstFrame);
  if (header === undefined) throw new MediaError('truncated', `an MP3 frame of ${firstFrame.length} bytes`);
  const { layer, sampleRate, channels } = header;
  if (layer !== 3) throw new MediaError('unsupported', `MPEG audio layer ${layer}; send AAC or MP3`);
  return { kind: 'audio', track, codec: 'mp3', codecString: 'mp3', description: Buffer.alloc(0), sampleRate, channels };
}
