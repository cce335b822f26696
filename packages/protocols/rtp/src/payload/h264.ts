import { H264_NAL, h264NalType, isH264Keyframe, splitLengthPrefixed } from '@sluice/media';
import { malformed, RtpError } from '../errors.js';
import { Depacketiser } from './depacketiser.js';
import { FIRST_FRAGMENT, LAST_FRAGMENT, type NalPayloadFormat, packetiseNalUnits } from './nal-packetiser.js';
import { type NalUnitKinds, NalUnits } from './nal-units.js';
import type { Depacketised, RtpPayload } from './payload.js';

/** RFC 6184 §5.2 */
const STAP_A = 24;
const FU_A = 28;
const LAST_TYPE_OF_FORMAT = 29;
const FILLER = 12;
/** The types whose first field is first_mb_in_slice, H.264 table 7-1. */
const SLICES: ReadonlySet<number> = new Set([H264_NAL.slice, 2, H264_NAL.idr]);
const FORBIDDEN = 0x80;
const IMPORTANCE = 0x60;
const TYPE = 0x1f;

/** RFC 6184 §5.7.1, §5.8 */
const FORMAT: NalPayloadFormat = {
  headerBytes: 1,
  aggregateHeader: (units) => {
    const headers = units.map((unit) => unit[0] ?? 0);
    const importance = Math.max(...headers.map((header) => header & IMPORTANCE));
    return Buffer.from([(headers.some((header) => header >= FORBIDDEN) ? FORBIDDEN : 0) | importance | STAP_A]);
  },
  fragmentHeader: (unit, isFirst, isLast) => {
    const header = unit[0] ?? 0;
    const flags = (isFirst ? FIRST_FRAGMENT : 0) | (isLast ? LAST_FRAGMENT : 0);
    return Buffer.from([(header & (FORBIDDEN | IMPORTANCE)) | FU_A, flags | (header & TYPE)]);
  },
};

const KINDS: NalUnitKinds = {
  typeOf: h264NalType,
  isParameterSet: (unit) => [H264_NAL.sps, H264_NAL.pps].some((type) => type === h264NalType(unit)),
  isEmpty: (unit) => [H264_NAL.aud, FILLER].includes(h264NalType(unit)),
  isSlice: (unit) => SLICES.has(h264NalType(unit)),
  // first_mb_in_slice is 0: one bit, as Exp-Golomb code.
  isFirstSlice: (slice) => ((slice[1] ?? 0) & 0x80) !== 0,
  isKeyframe: isH264Keyframe,
};

/**
 * Splits an access unit in packetization mode 1, RFC 6184 §6.3: single units, small ones together (STAP-A), large ones
 * in fragments (FU-A). Access unit delimiters and filler stay behind.
 *
 * @param accessUnit NAL units behind lengths of four bytes
 * @param maxBytes of a payload
 * @param parameterSets that go in front, on a keyframe
 * @throws {MediaError} where the access unit can't be split
 */
export function packetiseH264(
  accessUnit: Buffer,
  maxBytes: number,
  parameterSets: readonly Buffer[] = [],
): RtpPayload[] {
  const units = splitLengthPrefixed(accessUnit, 4).filter((unit) => !KINDS.isEmpty(unit));
  return packetiseNalUnits([...parameterSets, ...units], maxBytes, FORMAT);
}

/** Puts access units together from payloads that come in order, in modes 0 and 1. */
export class H264Depacketiser extends Depacketiser {
  readonly #units = new NalUnits(KINDS);

  protected override add(payload: Buffer): boolean {
    const [indicator = 0, flags = 0] = payload;
    const type = indicator & TYPE;
    if (type >= 1 && type < STAP_A) return this.#units.addUnit(payload);
    if (type === STAP_A) return this.#units.addAggregate(payload.subarray(1), 1);
    if (type === FU_A) {
      if (payload.length < 2) throw malformed('an H.264 fragment without its header');
      const header = Buffer.from([(indicator & (FORBIDDEN | IMPORTANCE)) | (flags & TYPE)]);
      return this.#units.addFragment(header, flags, payload.subarray(2));
    }
    const code = type > STAP_A && type <= LAST_TYPE_OF_FORMAT ? 'unsupported' : 'malformed';
    throw new RtpError(code, `an H.264 payload of type ${type}, which packetization modes 0 and 1 don't have`);
  }

  protected override complete(mayMissStart: boolean): Omit<Depacketised, 'timestamp'> | undefined {
    return this.#units.complete(mayMissStart);
  }

  protected override reset(): void {
    this.#units.reset();
  }
}
