import { MediaError } from '../errors.js';
import type { AudioTrackConfig, TrackId } from '../track-config.js';
import { BitReader } from './bit-reader.js';

/** Sampling frequencies by index, ISO 14496-3 table 1.18. */
const SAMPLE_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350] as const;
const EXPLICIT_RATE = 15;

/** Channels by channelConfiguration, ISO 14496-3 table 1.19. 0 means that the stream tells by itself. */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8] as const;

const OBJECT_TYPE = { main: 1, lc: 2, ssr: 3, ltp: 4, sbr: 5, escape: 31, ps: 29 } as const;
const PROFILE_NAMES: Readonly<Record<number, string>> = {
  1: 'Main',
  2: 'LC',
  3: 'SSR',
  4: 'LTP',
  5: 'HE-AAC',
  29: 'HE-AACv2',
  23: 'LD',
  39: 'ELD',
  42: 'xHE-AAC',
};

/** AudioSpecificConfig, ISO 14496-3 §1.6.2.1. */
export interface AudioSpecificConfig {
  /** Of the core: 2 for LC, also under SBR. */
  readonly objectType: number;
  /** Of the core, in Hz. */
  readonly sampleRate: number;
  /** 15 where the rate is written out. */
  readonly samplingFrequencyIndex: number;
  readonly channelConfiguration: number;
  readonly channels: number;
  /** Spectral band replication: the sound has twice the core's rate (or `extensionSampleRate`). */
  readonly sbr: boolean;
  /** Parametric stereo: mono core, stereo sound. */
  readonly ps: boolean;
  readonly extensionSampleRate?: number;
  /** Of the core. */
  readonly samplesPerFrame: number;
}

/** @throws {MediaError} `truncated`, `malformed` or `unsupported` */
export function parseAudioSpecificConfig(asc: Buffer): AudioSpecificConfig {
  const reader = new BitReader(asc);
  let objectType = readObjectType(reader);
  const core = readRate(reader);
  const channelConfiguration = reader.bits(4);
  const channels = CHANNELS[channelConfiguration];
  if (channels === undefined) throw new MediaError('unsupported', `AAC channel configuration ${channelConfiguration}`);
  let sbr = false;
  let ps = false;
  let extension: { index: number; rate: number } | undefined;
  if (objectType === OBJECT_TYPE.sbr || objectType === OBJECT_TYPE.ps) {
    sbr = true;
    ps = objectType === OBJECT_TYPE.ps;
    extension = readRate(reader);
    objectType = readObjectType(reader);
  }
  const shortFrames = reader.remaining > 0 && reader.flag();
  return {
    objectType,
    sampleRate: core.rate,
    samplingFrequencyIndex: core.index,
    channelConfiguration,
    channels,
    sbr,
    ps,
    ...(extension === undefined ? {} : { extensionSampleRate: extension.rate }),
    samplesPerFrame: shortFrames ? 960 : 1024,
  };
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === OBJECT_TYPE.escape ? 32 + reader.bits(6) : type;
}

function readRate(reader: BitReader): { index: number; rate: number } {
  const index = reader.bits(4);
  const rate = index === EXPLICIT_RATE ? reader.bits(24) : SAMPLE_RATES[index];
  if (rate === undefined || rate === 0) throw new MediaError('malformed', `AAC sampling frequency index ${index}`);
  return { index, rate };
}

/** @throws {MediaError} `unsupported` for a rate that needs to be written out */
export function buildAudioSpecificConfig(options: {
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channelConfiguration: number;
}): Buffer {
  const index = SAMPLE_RATES.indexOf(options.sampleRate as (typeof SAMPLE_RATES)[number]);
  if (index < 0) throw new MediaError('unsupported', `AAC at ${options.sampleRate} Hz`);
  const value = (options.objectType << 11) | (index << 7) | (options.channelConfiguration << 3);
  return Buffer.from([value >> 8, value & 0xff]);
}

/** @throws {MediaError} where the configuration can't be read */
export function aacTrackConfig(track: TrackId, asc: Buffer): AudioTrackConfig {
  const config = parseAudioSpecificConfig(asc);
  const signalled = config.ps ? OBJECT_TYPE.ps : config.sbr ? OBJECT_TYPE.sbr : config.objectType;
  return {
    kind: 'audio',
    track,
    codec: 'aac',
    codecString: `mp4a.40.${signalled}`,
    description: asc,
    sampleRate: config.extensionSampleRate ?? config.sampleRate,
    channels: config.ps ? 2 : config.channels,
    profile: PROFILE_NAMES[signalled] ?? `object type ${signalled}`,
  };
}

/** An ADTS header, ISO 13818-7 §6.2. */
export interface AdtsHeader {
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channelConfiguration: number;
  /** 7, or 9 with a checksum. */
  readonly headerLength: number;
  /** Header and payload. */
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

/** The 7-byte header for a frame of `payloadLength` bytes, without a checksum. */
export function adtsHeader(config: AudioSpecificConfig, payloadLength: number): Buffer {
  const length = payloadLength + 7;
  if (length > MAX_ADTS_FRAME) throw new MediaError('too-large', `an AAC frame of ${payloadLength} bytes in ADTS`);
  if (config.samplingFrequencyIndex === EXPLICIT_RATE) {
    throw new MediaError('unsupported', `AAC at ${config.sampleRate} Hz in ADTS`);
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
