/** The byte that says what a frame is. Numbers are never given anew: nodes of different versions talk to each other. */
export const FRAME_TYPE = {
  sample: 1,
  description: 2,
  'timed-metadata': 3,
  'wall-origin': 4,
  discontinuity: 5,
  end: 6,
  config: 7,
  metadata: 8,
  'end-of-track': 9,
  message: 10,
} as const;

/** Length of what follows, stream, type. */
export const FRAME_HEAD = 4 + 4 + 1;
/** Flags, track, dts, pts. */
export const SAMPLE_HEAD = 1 + 4 + 8 + 8;
/** Kind, time. */
export const TIMED_METADATA_HEAD = 1 + 8;

export const SAMPLE_IS_VIDEO = 1;
export const SAMPLE_IS_KEYFRAME = 2;
