import {
  AV1_OBU,
  MediaError,
  parseAv1C,
  parseAvcC,
  parseHvcC,
  type Sample,
  splitObus,
  type VideoTrackConfig,
} from '@sluice/media';
import { packetiseAv1, packetiseH264, packetiseHevc, packetiseVp8, packetiseVp9, type RtpPayload } from '@sluice/rtp';

/**
 * Makes payloads of a picture.
 *
 * @param number one more with each picture of the stream
 * @throws {MediaError} where the picture can't be read
 */
export type PicturePacketiser = (picture: Sample, number: number) => RtpPayload[];

/**
 * The packetiser of a track. Keyframes have with them what decoders need: viewers have no other way to learn it. A
 * configuration that can't be read is left out; keyframes may have theirs in them.
 *
 * @param maxBytes of a payload
 */
export function picturePacketiser(config: VideoTrackConfig, maxBytes: number): PicturePacketiser {
  const { codec, description } = config;
  switch (codec) {
    case 'h264': {
      const record = orUndefined(() => parseAvcC(description));
      const sets = record === undefined ? [] : [...record.sps, ...record.pps];
      return ({ data, keyframe }) => packetiseH264(data, maxBytes, keyframe ? sets : []);
    }
    case 'hevc': {
      const record = orUndefined(() => parseHvcC(description));
      const sets = record === undefined ? [] : [...record.vps, ...record.sps, ...record.pps];
      return ({ data, keyframe }) => packetiseHevc(data, maxBytes, keyframe ? sets : []);
    }
    case 'av1': {
      const configObus = orUndefined(() => parseAv1C(description).configObus) ?? Buffer.alloc(0);
      return ({ data, keyframe }) =>
        packetiseAv1(keyframe ? withSequenceHeader(data, configObus) : data, maxBytes, { keyframe });
    }
    case 'vp9':
      return ({ data, keyframe }, pictureId) => packetiseVp9(data, maxBytes, { pictureId, keyframe });
    case 'vp8':
      return ({ data }, pictureId) => packetiseVp8(data, maxBytes, pictureId);
  }
}

/** Encoders may leave it to the record. */
function withSequenceHeader(temporalUnit: Buffer, configObus: Buffer): Buffer {
  const hasHeader = splitObus(temporalUnit).some(({ type }) => type === AV1_OBU.sequenceHeader);
  return hasHeader ? temporalUnit : Buffer.concat([configObus, temporalUnit]);
}

/** What can't be read is left out: the stream goes on without it. */
export function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}
