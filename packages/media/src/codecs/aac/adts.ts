import { MediaError } from '../../errors.js';
import type { AudioSpecificConfig } from './audio-specific-config.js';
import { EXPLICIT_RATE, SAMPLE_RATES } from './sampling.js';

/** An ADTS header, ISO 13818-7 §6.2. */
export interface AdtsHeader {
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channelConfiguration: number;
  /** 7, or 9 with a checksum. */
  readonly headerLength: number;
  /** Bytes, of header and payload. */
  readonly frameLength: number;
}

/**
 * @returns undefined while fewer than 7 bytes are there
 * @throws {MediaError} `malformed` where there is no ADTS header at `offset`
 */
export function parseAdtsHeader(bytes: Buffer, offset = 0): AdtsHeader | undefined {
  if (bytes.length - offset < 7) return undefined;
  const word = bytes.readUInt16BE(offset);
  if ((word & 0xfff6) !== 0xfff0) throw new MediaError('malformed', `no ADTS syncword but 0x${word.toString(16)}`);
  const flags = bytes.readUInt16BE(offset + 2);
  const sampleRate = SAMPLE_RATES[(flags >> 10) & 0xf];
  if (sampleRate === undefined) throw new MediaError('malformed', 'a reserved ADTS sampling frequency');
  const headerLength = (word & 1) === 1 ? 7 : 9;
  const frameLength = (bytes.readUInt32BE(offset + 2) >> 5) & 0x1fff;
  if (frameLength <= headerLength) throw new MediaError('malformed', `an ADTS frame of ${frameLength} bytes`);
  const rawDataBlocks = (bytes[offset + 6] ?? 0) & 3;
  if (rawDataBlocks !== 0) throw new MediaError('unsupported', 'ADTS frames of several raw data blocks');
  return {
    objectType: (flags >> 14) + 1,
    sampleRate,
    channelConfiguration: (flags >> 6) & 7,
    headerLength,
    frameLength,
  };
}

/** The longest frame that an ADTS header can tell: 13 bits. */
const MAX_ADTS_FRAME = 0x1fff;
/** The largest channel configuration that it can tell: 3 bits. */
const MAX_ADTS_CHANNELS = 7;

/**
 * The 7-byte header for a frame of `payloadLength` bytes, without a checksum.
 *
 * @throws {MediaError} `too-large` for the frame, `unsupported` for a configuration that ADTS can't tell
 */
export function adtsHeader(config: AudioSpecificConfig, payloadLength: number): Buffer {
  const length = payloadLength + 7;
  if (length > MAX_ADTS_FRAME) throw new MediaError('too-large', `an AAC frame of ${payloadLength} bytes in ADTS`);
  if (config.samplingFrequencyIndex === EXPLICIT_RATE) {
    throw new MediaError('unsupported', `AAC at ${config.sampleRate} Hz in ADTS`);
  }
  if (config.channelConfiguration > MAX_ADTS_CHANNELS) {
    throw new MediaError('unsupported', `AAC channel configuration ${config.channelConfiguration} in ADTS`);
  }
  const profile = Math.min(Math.max(config.objectType, 1), 4) - 1;
  const { samplingFrequencyIndex: rate, channelConfiguration: channels } = config;
  return Buffer.from([
    0xff,
    0xf1,
    (profile << 6) | (rate << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]);
}
