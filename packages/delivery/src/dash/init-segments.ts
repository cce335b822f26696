import { MediaError, parseVp9FrameHeader, type Sample, type TrackConfig, writeInitSegment } from '@sluice/media';

/** A picture's size where its configuration doesn't tell it, to find out whether the rest can be written. */
const ANY_SIZE = { width: 16, height: 16 };

/** Whether MP4 has a place for the track's codec. */
export function canCarry(config: TrackConfig): boolean {
  try {
    initSegmentOf(config, undefined);
    return true;
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return false;
  }
}

/**
 * The init segment of a track alone, as CMAF wants it.
 *
 * @param first the keyframe that the period begins with
 * @throws {MediaError} where the configuration can't be read
 */
export function initSegmentOf(config: TrackConfig, first: Sample | undefined): Buffer {
  const size = pictureSizeOf(config, first) ?? ANY_SIZE;
  return writeInitSegment([config], { tracks: new Map([[config.track, { size }]]) });
}

/** Only its keyframes tell the size of VP9 that comes without a record of it. */
export function pictureSizeOf(config: TrackConfig, sample: Sample | undefined) {
  if (config.kind === 'audio') return undefined;
  if (config.width > 0) return { width: config.width, height: config.height };
  if (config.codec !== 'vp9' || sample?.track !== config.track) return undefined;
  try {
    return parseVp9FrameHeader(sample.data).size;
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}
