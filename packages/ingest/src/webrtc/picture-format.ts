import {
  AV1_OBU,
  av1TrackConfig,
  buildAv1C,
  buildAvcC,
  buildHvcC,
  H264_NAL,
  HEVC_NAL,
  h264NalType,
  h264TrackConfig,
  hevcNalType,
  hevcTrackConfig,
  splitObus,
  type TrackConfig,
  type TrackId,
  type VideoCodec,
  vp8TrackConfig,
  vp9KeyframeConfig,
} from '@sluice/media';
import {
  Av1Depacketiser,
  type Depacketised,
  type Depacketiser,
  H264Depacketiser,
  HevcDepacketiser,
  Vp8Depacketiser,
  Vp9Depacketiser,
} from '@sluice/rtp';

/** How pictures of a codec come over RTP. */
export interface PictureFormat {
  readonly depacketiser: () => Depacketiser;
  /**
   * What a picture tells decoders before it.
   *
   * @returns undefined where it tells nothing, or not all
   * @throws {MediaError} where it can't be read
   */
  readonly configOf: (track: TrackId, picture: Depacketised) => TrackConfig | undefined;
}

export const PICTURE_FORMATS: Readonly<Record<VideoCodec, PictureFormat>> = {
  h264: {
    depacketiser: () => new H264Depacketiser(),
    configOf: (track, { parameterSets }) => {
      const [sps, pps] = byType(parameterSets, h264NalType, [H264_NAL.sps, H264_NAL.pps]);
      return sps && pps && h264TrackConfig(track, buildAvcC(sps, pps));
    },
  },
  hevc: {
    depacketiser: () => new HevcDepacketiser(),
    configOf: (track, { parameterSets }) => {
      const [vps, sps, pps] = byType(parameterSets, hevcNalType, [HEVC_NAL.vps, HEVC_NAL.sps, HEVC_NAL.pps]);
      return vps && sps && pps && hevcTrackConfig(track, buildHvcC(vps, sps, pps));
    },
  },
  vp8: {
    depacketiser: () => new Vp8Depacketiser(),
    configOf: (track, { keyframe, accessUnit }) => (keyframe ? vp8TrackConfig(track, accessUnit) : undefined),
  },
  vp9: {
    depacketiser: () => new Vp9Depacketiser(),
    configOf: (track, { keyframe, accessUnit }) => (keyframe ? vp9KeyframeConfig(track, accessUnit) : undefined),
  },
  av1: {
    depacketiser: () => new Av1Depacketiser(),
    configOf: (track, { keyframe, accessUnit }) => {
      const obus = keyframe ? splitObus(accessUnit) : [];
      const header = obus.find(({ type }) => type === AV1_OBU.sequenceHeader);
      return header && av1TrackConfig(track, buildAv1C(header.bytes));
    },
  },
};

/** The units of each type, in their order; undefined where there is none. */
function byType(
  units: readonly Buffer[],
  typeOf: (unit: Buffer) => number,
  types: readonly number[],
): (Buffer[] | undefined)[] {
  return types.map((type) => {
    const found = units.filter((unit) => typeOf(unit) === type);
    return found.length === 0 ? undefined : found;
  });
}
