/** Levels below 6 end at 172 frames per second, the others at 300. H.264 §A.3.1, H.265 §A.4.1 */
const MAX_FRAME_RATE = 300;

/**
 * Frames per second from a bitstream's timing fields. Undefined where they can't be a rate: zeros, or the timebase of
 * an encoder of variable rate (1/1000 s, 1/90000 s).
 */
export function plausibleFrameRate(timeScale: number, unitsInFrame: number): number | undefined {
  const rate = timeScale / unitsInFrame;
  return rate > 0 && rate <= MAX_FRAME_RATE ? rate : undefined;
}
