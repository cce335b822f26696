import type { Sample } from '../sample.js';
import { millisFromMicros } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { flvCodecIdOf } from './codec-ids.js';
import { PACKET_TYPE } from './extended-header.js';
import { FLV_AUDIO, FLV_VIDEO, type FlvTagType } from './tag.js';

/** First byte of AAC and MP3 tags: the rate, size and channel bits say nothing that players go by. FLV §E.4.2.1. */
const AAC_FLAGS = 0xaf;
const MP3_FLAGS = 0x2f;
const EXTENDED_AUDIO = 0x90;
const EXTENDED_VIDEO = 0x80;
const KEY_FRAME = 0x10;
const INTER_FRAME = 0x20;
const MULTITRACK = { video: 6, audio: 5 } as const;
/** What 24 bits with a sign can say: 2.3 hours. */
const MAX_COMPOSITION_TIME = 0x7f_ffff;

export function flvTagTypeOf(config: TrackConfig): FlvTagType {
  return config.kind === 'video' ? FLV_VIDEO : FLV_AUDIO;
}

/**
 * The body of a sequence header tag; undefined for MP3, which has none. The vpcC of VP9 keeps its version and flags, as
 * FFmpeg and MediaMTX have it, though the specification speaks of the record behind them.
 *
 * @throws {MediaError} `unsupported` for a codec that FLV doesn't carry
 */
export function flvConfigBody(config: TrackConfig): Buffer | undefined {
  if (config.codec === 'mp3') return undefined;
  const record = config.description;
  if (!isLegacy(config)) {
    return Buffer.concat([extendedHeader(config, PACKET_TYPE.sequenceStart, true), record]);
  }
  const header = config.kind === 'video' ? [KEY_FRAME | 7, 0, 0, 0, 0] : [AAC_FLAGS, 0];
  return Buffer.concat([Buffer.from(header), record]);
}

/**
 * The bytes of a tag body that come before `sample.data`: legacy headers for H.264, AAC and MP3, which every player
 * knows, and Enhanced RTMP's for the rest and for further tracks.
 *
 * @throws {MediaError} `unsupported` for a codec that FLV doesn't carry
 */
export function flvSampleBodyHeader(sample: Sample, config: TrackConfig): Buffer {
  const compositionTime = compositionTimeOf(sample);
  if (!isLegacy(config)) return extendedSampleHeader(sample, config, compositionTime);
  if (config.codec === 'mp3') return Buffer.from([MP3_FLAGS]);
  if (config.codec === 'aac') return Buffer.from([AAC_FLAGS, 1]);
  const header = Buffer.allocUnsafe(5);
  header[0] = (sample.keyframe ? KEY_FRAME : INTER_FRAME) | 7;
  header[1] = 1;
  header.writeIntBE(compositionTime, 2, 3);
  return header;
}

/** Milliseconds, so that dts and composition time add up to the pts as it would be rounded. */
function compositionTimeOf(sample: Sample): number {
  const milliseconds = millisFromMicros(sample.pts) - millisFromMicros(sample.dts);
  return Math.max(-MAX_COMPOSITION_TIME, Math.min(MAX_COMPOSITION_TIME, milliseconds));
}

/** Frames of NAL units tell their composition time, or say that it is 0; those of other codecs have none. */
function extendedSampleHeader(sample: Sample, config: TrackConfig, compositionTime: number): Buffer {
  const hasNalUnits = config.codec === 'h264' || config.codec === 'hevc';
  if (!hasNalUnits) return extendedHeader(config, PACKET_TYPE.codedFrames, sample.keyframe);
  if (compositionTime === 0) return extendedHeader(config, PACKET_TYPE.codedFramesX, sample.keyframe);
  return Buffer.concat([extendedHeader(config, PACKET_TYPE.codedFrames, sample.keyframe), int24(compositionTime)]);
}

function isLegacy(config: TrackConfig): boolean {
  return config.track < 2 && flvCodecIdOf(config.codec).legacyId !== undefined;
}

function extendedHeader(config: TrackConfig, packetType: number, keyframe: boolean): Buffer {
  const { kind, track } = config;
  const fourCc = Buffer.from(flvCodecIdOf(config.codec).fourCc, 'latin1');
  const first = kind === 'audio' ? EXTENDED_AUDIO : EXTENDED_VIDEO | (keyframe ? KEY_FRAME : INTER_FRAME);
  if (track < 2) return Buffer.concat([Buffer.from([first | packetType]), fourCc]);
  return Buffer.concat([Buffer.from([first | MULTITRACK[kind], packetType]), fourCc, Buffer.from([track >> 1])]);
}

function int24(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(3);
  bytes.writeIntBE(value, 0, 3);
  return bytes;
}
