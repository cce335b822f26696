import { MediaError } from '../errors.js';
import type { TrackConfig } from '../track-config.js';

/** How a codec is announced in a PMT, and the stream id of its PES packets. ISO 13818-1 tables 2-34 and 2-22. */
export interface TsStreamType {
  readonly streamType: number;
  readonly streamId: number;
  readonly descriptors: Buffer;
}

const NO_DESCRIPTORS = Buffer.alloc(0);
const REGISTRATION = 0x05;
const EXTENSION = 0x7f;
const OPUS_EXTENSION_TAG = 0x80;
/** Rates of MPEG-2 audio, which has a stream type of its own. */
const MPEG1_RATES: ReadonlySet<number> = new Set([32_000, 44_100, 48_000]);

/** @throws {MediaError} `unsupported` for codecs that MPEG-TS has no common form for */
export function tsStreamTypeOf(config: TrackConfig): TsStreamType {
  const video = (streamType: number) => ({ streamType, streamId: 0xe0, descriptors: NO_DESCRIPTORS });
  const audio = (streamType: number) => ({ streamType, streamId: 0xc0, descriptors: NO_DESCRIPTORS });
  switch (config.codec) {
    case 'h264':
      return video(0x1b);
    case 'hevc':
      return { ...video(0x24), descriptors: registration('HEVC') };
    case 'aac':
      return audio(0x0f);
    case 'mp3':
      return audio(MPEG1_RATES.has(config.sampleRate) ? 0x03 : 0x04);
    case 'opus':
      return { streamType: 0x06, streamId: 0xbd, descriptors: opusDescriptors(config.channels) };
    default:
      throw new MediaError('unsupported', `${config.codec} in MPEG-TS`);
  }
}

function registration(format: string): Buffer {
  return Buffer.concat([Buffer.from([REGISTRATION, 4]), Buffer.from(format, 'latin1')]);
}

/** The channel layout as Opus in MPEG-TS has it; 255 layouts of more channels need a mapping that isn't kept. */
function opusDescriptors(channels: number): Buffer {
  return Buffer.concat([registration('Opus'), Buffer.from([EXTENSION, 2, OPUS_EXTENSION_TAG, channels])]);
}
