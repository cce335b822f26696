import { HEVC_NAL, hevcNalType, isHevcKeyframe, splitLengthPrefixed } from '@sluice/media';
import { malformed, RtpError } from '../errors.js';
import { Depacketiser } from './depacketiser.js';
import { FIRST_FRAGMENT, LAST_FRAGMENT, type NalPayloadFormat, packetiseNalUnits } from './nal-packetiser.js';
import { type NalUnitKinds, NalUnits } from './nal-units.js';
import type { Depacketised, RtpPayload } from './payload.js';

/** RFC 7798 §4.4 */
const AGGREGATION_PACKET = 48;
const FRAGMENTATION_UNIT = 49;
const PACI = 50;
const HEADER_BYTES = 2;
const FILLER = 38;
/** Types below this are of slices, H.265 table 7-1. */
const FIRST_NON_SLICE = 32;

/** A NAL unit header with another type, H.265 §7.3.1.2. */
const withType = (header: number, type: number): number => (header & 0x81ff) | (type << 9);
const headerOf = (unit: Buffer): number => ((unit[0] ?? 0) << 8) | (unit[1] ?? 0);
const twoBytes = (value: number): number[] => [value >>> 8, value & 0xff];

const FORMAT: NalPayloadFormat = {
  headerBytes: HEADER_BYTES,
  // The lowest layer and the lowest temporal one, RFC 7798 §4.4.2
  aggregateHeader: (units) => {
    const headers = units.map(headerOf);
    const forbidden = headers.some((header) => header >= 0x8000) ? 0x8000 : 0;
    const layer = Math.min(...headers.map((header) => header & 0x1f8));
    const temporal = Math.min(...headers.map((header) => header & 0x7));
    return Buffer.from(twoBytes(withType(forbidden | layer | temporal, AGGREGATION_PACKET)));
  },
  // RFC 7798 §4.4.3
  fragmentHeader: (unit, isFirst, isLast) => {
    const flags = (isFirst ? FIRST_FRAGMENT : 0) | (isLast ? LAST_FRAGMENT : 0);
    return Buffer.from([...twoBytes(withType(headerOf(unit), FRAGMENTATION_UNIT)), flags | hevcNalType(unit)]);
  },
};

const KINDS: NalUnitKinds = {
  typeOf: hevcNalType,
  isParameterSet: (unit) => {
    const type = hevcNalType(unit);
    return type >= HEVC_NAL.vps && type <= HEVC_NAL.pps;
  },
  isEmpty: (unit) => [HEVC_NAL.aud, FILLER].includes(hevcNalType(unit)),
  isSlice: (unit) => hevcNalType(unit) < FIRST_NON_SLICE,
  // first_slice_segment_in_pic_flag
  isFirstSlice: (slice) => ((slice[HEADER_BYTES] ?? 0) & 0x80) !== 0,
  isKeyframe: isHevcKeyframe,
};

/**
 * Splits an access unit, RFC 7798 §4.4: single units, small ones together (AP), large ones in fragments (FU), without
 * decoding order numbers. Access unit delimiters and filler stay behind.
 *
 * @param accessUnit NAL units behind lengths of four bytes
 * @param maxBytes of a payload
 * @param parameterSets that go in front, on a keyframe
 * @throws {MediaError} where the access unit can't be split
 */
export function packetiseHevc(
  accessUnit: Buffer,
  maxBytes: number,
  parameterSets: readonly Buffer[] = [],
): RtpPayload[] {
  const units = splitLengthPrefixed(accessUnit, 4).filter((unit) => !KINDS.isEmpty(unit));
  return packetiseNalUnits([...parameterSets, ...units], maxBytes, FORMAT);
}

/** Puts access units together from payloads that come in order and have no decoding order numbers. */
export class HevcDepacketiser extends Depacketiser {
  readonly #units = new NalUnits(KINDS);

  protected override add(payload: Buffer): boolean {
    if (payload.length < HEADER_BYTES) throw malformed(`an HEVC payload of ${payload.length} bytes`);
    const type = hevcNalType(payload);
    if (type < AGGREGATION_PACKET) return this.#units.addUnit(payload);
    if (type === AGGREGATION_PACKET) return this.#units.addAggregate(payload.subarray(HEADER_BYTES), HEADER_BYTES);
    if (type === FRAGMENTATION_UNIT) {
      if (payload.length === HEADER_BYTES) throw malformed('an HEVC fragment without its header');
      const flags = payload[HEADER_BYTES] ?? 0;
      const header = Buffer.from(twoBytes(withType(headerOf(payload), flags & 0x3f)));
      return this.#units.addFragment(header, flags, payload.subarray(HEADER_BYTES + 1));
    }
    throw new RtpError(type === PACI ? 'unsupported' : 'malformed', `an HEVC payload of type ${type}`);
  }

  protected override complete(mayMissStart: boolean): Omit<Depacketised, 'timestamp'> | undefined {
    return this.#units.complete(mayMissStart);
  }

  protected override reset(): void {
    this.#units.reset();
  }
}
