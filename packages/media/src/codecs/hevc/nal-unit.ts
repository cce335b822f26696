/** NAL unit types, H.265 table 7-1. */
export const HEVC_NAL = {
  firstIrap: 16,
  lastIrap: 23,
  vps: 32,
  sps: 33,
  pps: 34,
  aud: 35,
  prefixSei: 39,
  suffixSei: 40,
} as const;

export function hevcNalType(unit: Buffer): number {
  return ((unit[0] ?? 0) >> 1) & 0x3f;
}

/** Whether an access unit is an intra random access point (IDR, CRA or BLA). */
export function isHevcKeyframe(units: readonly Buffer[]): boolean {
  return units.some((unit) => {
    const type = hevcNalType(unit);
    return type >= HEVC_NAL.firstIrap && type <= HEVC_NAL.lastIrap;
  });
}
