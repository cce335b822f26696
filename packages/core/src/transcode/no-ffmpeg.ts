/** Said where something would need it. */
export const NO_FFMPEG = 'there is no ffmpeg: install it, or name it by FFMPEG_PATH';
