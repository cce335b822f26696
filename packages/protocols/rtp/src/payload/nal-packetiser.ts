import { checkRoom, payloadsOf, type RtpPayload, splitEvenly } from './payload.js';

/** What H.264 and HEVC write differently. */
export interface NalPayloadFormat {
  /** Of a NAL unit; an aggregate's is as long. */
  readonly headerBytes: number;
  /** The header of a payload that holds these units. */
  readonly aggregateHeader: (units: readonly Buffer[]) => Buffer;
  /** The headers of a payload that holds a part of this unit. */
  readonly fragmentHeader: (unit: Buffer, isFirst: boolean, isLast: boolean) => Buffer;
}

/** Flags of an FU header. */
export const FIRST_FRAGMENT = 0x80;
export const LAST_FRAGMENT = 0x40;
export const LENGTH_BYTES = 2;
/** What a length in an aggregate can tell. */
const MOST_BYTES = 0xffff;

/**
 * Puts small units together, and splits large ones.
 *
 * @param maxBytes of a payload
 * @throws {RtpError} `unsupported` where payloads have no room for media
 */
export function packetiseNalUnits(units: readonly Buffer[], maxBytes: number, format: NalPayloadFormat): RtpPayload[] {
  checkRoom(maxBytes);
  const room = Math.min(maxBytes, MOST_BYTES);
  const payloads: (readonly Buffer[])[] = [];
  let small: Buffer[] = [];
  let smallBytes = format.headerBytes;
  const flush = (): void => {
    if (small.length > 0) payloads.push(small.length === 1 ? small : aggregated(small, format));
    small = [];
    smallBytes = format.headerBytes;
  };
  for (const unit of units) {
    if (unit.length > room) {
      flush();
      payloads.push(...fragments(unit, room, format));
      continue;
    }
    if (smallBytes + LENGTH_BYTES + unit.length > room) flush();
    small.push(unit);
    smallBytes += LENGTH_BYTES + unit.length;
  }
  flush();
  return payloadsOf(payloads);
}

function aggregated(units: readonly Buffer[], { aggregateHeader }: NalPayloadFormat): Buffer[] {
  const behindLengths = units.flatMap((unit) => [Buffer.from([unit.length >>> 8, unit.length & 0xff]), unit]);
  return [aggregateHeader(units), ...behindLengths];
}

/** Fragments hold all of a unit but its header, and a header of their own that is a byte longer. */
function fragments(unit: Buffer, room: number, { headerBytes, fragmentHeader }: NalPayloadFormat): Buffer[][] {
  const parts = splitEvenly(unit.subarray(headerBytes), room - headerBytes - 1);
  return parts.map((part, at) => [fragmentHeader(unit, at === 0, at === parts.length - 1), part]);
}
