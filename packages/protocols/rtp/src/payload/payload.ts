/** One RTP payload of an access unit, in pieces that need not be copied together: the media's own memory. */
export interface RtpPayload {
  readonly pieces: readonly Buffer[];
  /** Of all pieces together. */
  readonly length: number;
  /** The last of its access unit. */
  readonly marker: boolean;
}

/** An access unit that was put together again. */
export interface Depacketised {
  /** Of its packets. */
  readonly timestamp: number;
  /** In the form of samples. */
  readonly accessUnit: Buffer;
  readonly keyframe: boolean;
  /** SPS, PPS (and VPS) that came with it, without start codes. */
  readonly parameterSets: readonly Buffer[];
}

export function payloadOf(pieces: readonly Buffer[], marker: boolean): RtpPayload {
  return { pieces, length: pieces.reduce((sum, piece) => sum + piece.length, 0), marker };
}
