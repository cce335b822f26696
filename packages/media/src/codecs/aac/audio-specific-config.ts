import { MediaError } from '../../errors.js';
import { BitReader } from '../bit-reader.js';
import { readProgramConfigChannels } from './program-config.js';
import { EXPLICIT_RATE, SAMPLE_RATES } from './sampling.js';

/** AudioSpecificConfig, ISO 14496-3 §1.6.2.1. */
export interface AudioSpecificConfig {
  /** Of the core: 2 for LC, also under SBR. */
  readonly objectType: number;
  /** Of the core, in Hz. */
  readonly sampleRate: number;
  /** 15 where the rate is written out. */
  readonly samplingFrequencyIndex: number;
  /** 0 where the channels are told one by one. */
  readonly channelConfiguration: number;
  /** Of the core. 0 where only the stream tells. */
  readonly channels: number;
  /** Spectral band replication: the sound has `extensionSampleRate`. */
  readonly sbr: boolean;
  /** Parametric stereo: mono core, stereo sound. */
  readonly ps: boolean;
  readonly extensionSampleRate?: number;
  /** Of the core. */
  readonly samplesPerFrame: number;
}

interface Rate {
  readonly index: number;
  readonly hertz: number;
}

interface Extension {
  readonly sbr: boolean;
  readonly ps: boolean;
  readonly rate?: Rate;
}

/** Audio object types, ISO 14496-3 table 1.17. */
export const AAC_OBJECT_TYPE = {
  main: 1,
  lc: 2,
  ssr: 3,
  ltp: 4,
  sbr: 5,
  scalable: 6,
  erLc: 17,
  erScalable: 20,
  erBsac: 22,
  erLd: 23,
  ps: 29,
  escape: 31,
  erEld: 39,
  usac: 42,
} as const;

/** Those whose configuration is a GASpecificConfig, of AAC's kind. ISO 14496-3 §4.4.1 */
const GENERAL_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 17, 19, 20, 22, 23]);
/** Those under which encoders signal SBR behind the configuration. */
const EXTENSIBLE_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4, 6]);
/** Channels by channelConfiguration, ISO 14496-3 table 1.19. 0: a program config element tells, here or in the stream. */
const CHANNELS: Readonly<Record<number, number>> = {
  0: 0,
  1: 1,
  2: 2,
  3: 3,
  4: 4,
  5: 5,
  6: 6,
  7: 8,
  11: 7,
  12: 8,
  13: 24,
  14: 8,
};
/** The sync words of what old decoders pass over, ISO 14496-3 §1.6.2.1. */
const SBR_SYNC = 0x2b7;
const PS_SYNC = 0x548;
/** A program config element without any channel. */
const MIN_PROGRAM_CONFIG_BITS = 34;
const NO_EXTENSION: Extension = { sbr: false, ps: false };

/** @throws {MediaError} `truncated`, `malformed`, or `unsupported` for what is no AAC */
export function parseAudioSpecificConfig(asc: Buffer): AudioSpecificConfig {
  const reader = new BitReader(asc);
  let objectType = readObjectType(reader);
  const core = readRate(reader);
  const channelConfiguration = reader.bits(4);
  let extension = NO_EXTENSION;
  if (objectType === AAC_OBJECT_TYPE.sbr || objectType === AAC_OBJECT_TYPE.ps) {
    extension = { sbr: true, ps: objectType === AAC_OBJECT_TYPE.ps, rate: readRate(reader) };
    objectType = readObjectType(reader);
    if (objectType === AAC_OBJECT_TYPE.erBsac) reader.skip(4); // extensionChannelConfiguration
  }
  const specific = readSpecificConfig(reader, objectType, channelConfiguration);
  if (!extension.sbr && EXTENSIBLE_TYPES.has(objectType)) extension = readTrailingExtension(reader);
  const channels = specific.channels ?? CHANNELS[channelConfiguration];
  if (channels === undefined) throw unsupportedChannels(channelConfiguration);
  return {
    objectType,
    sampleRate: core.hertz,
    samplingFrequencyIndex: core.index,
    channelConfiguration,
    channels,
    sbr: extension.sbr,
    ps: extension.ps,
    ...(extension.rate === undefined ? {} : { extensionSampleRate: extension.rate.hertz }),
    samplesPerFrame: specific.samplesPerFrame,
  };
}

function unsupportedChannels(configuration: number): MediaError {
  return new MediaError('unsupported', `AAC channel configuration ${configuration}; let the encoder use one of 1 to 7`);
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === AAC_OBJECT_TYPE.escape ? 32 + reader.bits(6) : type;
}

function readRate(reader: BitReader): Rate {
  const index = reader.bits(4);
  const hertz = index === EXPLICIT_RATE ? reader.bits(24) : SAMPLE_RATES[index];
  if (hertz === undefined) throw new MediaError('malformed', `AAC sampling frequency index ${index}`);
  if (hertz === 0) throw new MediaError('malformed', 'AAC at 0 Hz');
  return { index, hertz };
}

interface SpecificConfig {
  readonly samplesPerFrame: number;
  /** Where a program config element tells. */
  readonly channels?: number;
}

function readSpecificConfig(reader: BitReader, objectType: number, channelConfiguration: number): SpecificConfig {
  if (objectType === AAC_OBJECT_TYPE.usac) return { samplesPerFrame: 1024 };
  if (objectType === AAC_OBJECT_TYPE.erEld) return { samplesPerFrame: reader.flag() ? 480 : 512 };
  if (!GENERAL_TYPES.has(objectType)) {
    throw new MediaError('unsupported', `MPEG-4 audio of object type ${objectType}, which is no AAC`);
  }
  return readGeneralConfig(reader, objectType, channelConfiguration);
}

/** GASpecificConfig(), ISO 14496-3 §4.4.1. Some encoders cut its last bits off. */
function readGeneralConfig(reader: BitReader, objectType: number, channelConfiguration: number): SpecificConfig {
  const isShort = optionalFlag(reader);
  const [long, short] = objectType === AAC_OBJECT_TYPE.erLd ? [512, 480] : [1024, 960];
  const samplesPerFrame = isShort ? short : long;
  if (optionalFlag(reader)) reader.skip(14); // coreCoderDelay
  const isExtended = optionalFlag(reader);
  const hasProgramConfig = channelConfiguration === 0 && reader.remaining >= MIN_PROGRAM_CONFIG_BITS;
  const channels = hasProgramConfig ? readProgramConfigChannels(reader) : undefined;
  if (objectType === AAC_OBJECT_TYPE.scalable || objectType === AAC_OBJECT_TYPE.erScalable) reader.skip(3); // layerNr
  if (isExtended) {
    if (objectType === AAC_OBJECT_TYPE.erBsac) reader.skip(5 + 11);
    else if (objectType >= AAC_OBJECT_TYPE.erLc) reader.skip(3); // resilience flags
    reader.skip(1); // extensionFlag3
  }
  return channels === undefined ? { samplesPerFrame } : { samplesPerFrame, channels };
}

function optionalFlag(reader: BitReader): boolean {
  return reader.remaining > 0 && reader.flag();
}

/** SBR and PS told behind the configuration, where decoders that don't know them don't look. ISO 14496-3 §1.6.6.1 */
function readTrailingExtension(reader: BitReader): Extension {
  if (reader.remaining < 17 || reader.bits(11) !== SBR_SYNC) return NO_EXTENSION;
  if (readObjectType(reader) !== AAC_OBJECT_TYPE.sbr || !optionalFlag(reader)) return NO_EXTENSION;
  const rate = readRate(reader);
  const ps = reader.remaining >= 12 && reader.bits(11) === PS_SYNC && reader.flag();
  return { sbr: true, ps, rate };
}

/**
 * An AudioSpecificConfig of two bytes.
 *
 * @throws {MediaError} `unsupported` for what doesn't fit: a rate that isn't in the table, an object type above 30, a
 *   reserved channel configuration
 */
export function buildAudioSpecificConfig(options: {
  readonly objectType: number;
  readonly sampleRate: number;
  readonly channelConfiguration: number;
}): Buffer {
  const { objectType, sampleRate, channelConfiguration } = options;
  const index = SAMPLE_RATES.indexOf(sampleRate);
  if (index < 0) throw new MediaError('unsupported', `AAC at ${sampleRate} Hz; ${SAMPLE_RATES.join(', ')} are known`);
  if (objectType < 1 || objectType >= AAC_OBJECT_TYPE.escape) {
    throw new MediaError('unsupported', `AAC of object type ${objectType}; 1 to 30 fit`);
  }
  if (CHANNELS[channelConfiguration] === undefined) throw unsupportedChannels(channelConfiguration);
  const value = (objectType << 11) | (index << 7) | (channelConfiguration << 3);
  return Buffer.from([value >> 8, value & 0xff]);
}
