import type { Sample } from '../sample.js';
import { millisFromMicros } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { flvMetadataBody } from './metadata.js';
import { flvConfigBody, flvSampleBodyHeader, flvTagTypeOf } from './sample-writer.js';
import { FLV_SCRIPT, type FlvTagType } from './tag.js';

/** A tag in one piece, as RTMP sends it: its type, its time and its body. */
export interface FlvMessage {
  readonly type: FlvTagType;
  /** Milliseconds, modulo 2^32. */
  readonly timestamp: number;
  readonly payload: Buffer;
}

/**
 * What a publish begins with, at time 0: metadata and the sequence header of each track.
 *
 * @throws {MediaError} `unsupported` for a codec that FLV doesn't carry
 */
export function flvOpeningMessages(configs: readonly TrackConfig[]): FlvMessage[] {
  const metadata: FlvMessage = { type: FLV_SCRIPT, timestamp: 0, payload: flvMetadataBody(configs) };
  return [metadata, ...configs.flatMap((config) => flvConfigMessage(config) ?? [])];
}

/**
 * The sequence header of a track, at time 0; undefined for MP3, which has none.
 *
 * @throws {MediaError} `unsupported` for a codec that FLV doesn't carry
 */
export function flvConfigMessage(config: TrackConfig): FlvMessage | undefined {
  const payload = flvConfigBody(config);
  return payload === undefined ? undefined : { type: flvTagTypeOf(config), timestamp: 0, payload };
}

/** @throws {MediaError} `unsupported` for a codec that FLV doesn't carry */
export function flvSampleMessage(sample: Sample, config: TrackConfig): FlvMessage {
  const payload = Buffer.concat([flvSampleBodyHeader(sample, config), sample.data]);
  return { type: flvTagTypeOf(config), timestamp: millisFromMicros(sample.dts) >>> 0, payload };
}
