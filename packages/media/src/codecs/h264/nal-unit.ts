/** NAL unit types, H.264 table 7-1. */
export const H264_NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, aud: 9, spsExtension: 13 } as const;

export function h264NalType(unit: Buffer): number {
  return (unit[0] ?? 0) & 0x1f;
}

/** Whether an access unit can be decoded on its own. A recovery point without an IDR doesn't count. */
export function isH264Keyframe(units: readonly Buffer[]): boolean {
  return units.some((unit) => h264NalType(unit) === H264_NAL.idr);
}
