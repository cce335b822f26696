/** The loudest sample of 32-bit floats, little-endian: 0 to 1. */
export function peakOf(pcm: Buffer): number {
  let peak = 0;
  for (let at = 0; at + 4 <= pcm.length; at += 4) {
    const loud = Math.abs(pcm.readFloatLE(at));
    if (loud > peak) peak = loud;
  }
  return peak;
}
