import { RtpError } from '../errors.js';

/** One RTP payload of an access unit, in pieces that need not be copied together: the media's own memory. */
export interface RtpPayload {
  readonly pieces: readonly Buffer[];
  /** Of all pieces together. */
  readonly length: number;
  /** The last of its access unit. */
  readonly marker: boolean;
}

/**
 * Splits an access unit, which is in the form of samples. The media isn't copied, so that all viewers can share it.
 *
 * @param maxBytes of a payload
 */
export type Packetise = (accessUnit: Buffer, maxBytes: number) => RtpPayload[];

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

/** Room for each format's headers and some media. */
const LEAST_BYTES = 16;

export function payloadOf(pieces: readonly Buffer[], marker: boolean): RtpPayload {
  return { pieces, length: pieces.reduce((sum, piece) => sum + piece.length, 0), marker };
}

/** The payloads of an access unit, the last of which ends it. */
export function payloadsOf(pieces: readonly (readonly Buffer[])[]): RtpPayload[] {
  return pieces.map((some, at) => payloadOf(some, at === pieces.length - 1));
}

/** @throws {RtpError} `unsupported` where payloads have no room for media */
export function checkRoom(maxBytes: number): void {
  if (!(maxBytes >= LEAST_BYTES)) throw new RtpError('unsupported', `payloads of ${maxBytes} bytes`);
}

/** Parts of at most `maxBytes`, of nearly the same size, so that the last one isn't a crumb. */
export function splitEvenly(bytes: Buffer, maxBytes: number): Buffer[] {
  const count = Math.ceil(bytes.length / maxBytes);
  const size = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}
