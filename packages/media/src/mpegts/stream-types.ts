import { MediaError } from '../errors.js';
import type { TrackConfig } from '../track-config.js';

/** ISO 13818-1 table 2-34. */
export const STREAM_TYPE = {
  mpeg1Audio: 0x03,
  mpeg2Audio: 0x04,
  privateData: 0x06,
  adts: 0x0f,
  /** Metadata in PES packets. */
  metadata: 0x15,
  h264: 0x1b,
  hevc: 0x24,
  /** User private; SCTE 35 §8.1 has it for its sections. */
  scte35: 0x86,
} as const;

/** Descriptor tags, ISO 13818-1 table 2-45 and ETSI EN 300 468 table 12. */
export const DESCRIPTOR = { registration: 0x05, metadataPointer: 0x25, metadata: 0x26, extension: 0x7f } as const;
/** How SCTE 35 registers itself, §8.1. */
export const CUE_FORMAT = 'CUEI';
/** How ID3 is named as a format of metadata (Apple, "Timed Metadata for HTTP Live Streaming"). */
export const ID3_FORMAT = 'ID3 ';
/** The extension descriptor that tells Opus's channels, ETSI draft for Opus in MPEG-TS, version 0.1.3. */
export const OPUS_EXTENSION_TAG = 0x80;

/** Stream ids of PES packets, ISO 13818-1 table 2-22. */
export const STREAM_ID = { privateStream1: 0xbd, audio: 0xc0, video: 0xe0 } as const;

/** How a codec is announced in a PMT, and the stream id of its PES packets. */
export interface TsStreamType {
  readonly streamType: number;
  readonly streamId: number;
  readonly descriptors: Buffer;
}

const NO_DESCRIPTORS = Buffer.alloc(0);
/** Rates of MPEG-1 audio; MPEG-2 audio, which has lower ones, has a stream type of its own. */
const MPEG1_RATES: ReadonlySet<number> = new Set([32_000, 44_100, 48_000]);

/** @throws {MediaError} `unsupported` for codecs that MPEG-TS has no common form for */
export function tsStreamTypeOf(config: TrackConfig): TsStreamType {
  const video = (streamType: number) => ({ streamType, streamId: STREAM_ID.video, descriptors: NO_DESCRIPTORS });
  const audio = (streamType: number) => ({ streamType, streamId: STREAM_ID.audio, descriptors: NO_DESCRIPTORS });
  switch (config.codec) {
    case 'h264':
      return video(STREAM_TYPE.h264);
    case 'hevc':
      return { ...video(STREAM_TYPE.hevc), descriptors: registration('HEVC') };
    case 'aac':
      return audio(STREAM_TYPE.adts);
    case 'mp3':
      return audio(MPEG1_RATES.has(config.sampleRate) ? STREAM_TYPE.mpeg1Audio : STREAM_TYPE.mpeg2Audio);
    case 'opus':
      return {
        streamType: STREAM_TYPE.privateData,
        streamId: STREAM_ID.privateStream1,
        descriptors: opusDescriptors(config.channels),
      };
    default:
      throw new MediaError('unsupported', `${config.codec} in MPEG-TS; H.264, HEVC, AAC, MP3 and Opus can be carried`);
  }
}

/** A registration descriptor, ISO 13818-1 §2.6.8. */
export function registration(format: string): Buffer {
  return Buffer.concat([Buffer.from([DESCRIPTOR.registration, 4]), Buffer.from(format, 'latin1')]);
}

function opusDescriptors(channels: number): Buffer {
  if (channels !== 1 && channels !== 2) {
    throw new MediaError('unsupported', `Opus with ${channels} channels in MPEG-TS; 1 and 2 can be carried`);
  }
  const layout = Buffer.from([DESCRIPTOR.extension, 2, OPUS_EXTENSION_TAG, channels]);
  return Buffer.concat([registration('Opus'), layout]);
}
