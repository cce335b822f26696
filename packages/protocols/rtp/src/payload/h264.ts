import { joinLengthPrefixed, splitLengthPrefixed } from '@sluice/media';
import { malformed } from '../errors.js';
import { type Depacketised, payloadOf, type RtpPayload } from './payload.js';

/** RFC 6184 §5.2 */
const STAP_A = 24;
const FU_A = 28;
const NAL = { idr: 5, sps: 7, pps: 8, delimiter: 9, filler: 12 } as const;
const FU_HEAD_BYTES = 2;
const LENGTH_BYTES = 2;
/** No encoder makes a larger picture; a peer may make us keep no more. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_UNITS = 4096;

const typeOf = (unit: Buffer): number => (unit[0] ?? 0) & 0x1f;

/**
 * Splits an access unit in packetization mode 1, RFC 6184 §6.3: single units, small ones together (STAP-A), large ones
 * in fragments (FU-A).
 *
 * @param accessUnit NAL units behind lengths of four bytes
 * @param mostBytes of a payload
 * @param parameterSets that go in front, on a keyframe
 */
export function packetiseH264(
  accessUnit: Buffer,
  mostBytes: number,
  parameterSets: readonly Buffer[] = [],
): RtpPayload[] {
  const units = [
    ...parameterSets,
    ...splitLengthPrefixed(accessUnit, 4).filter((unit) => typeOf(unit) !== NAL.delimiter),
  ];
  const payloads: (readonly Buffer[])[] = [];
  let small: Buffer[] = [];
  let smallBytes = 1;
  const flush = (): void => {
    if (small.length > 0) payloads.push(small.length === 1 ? small : aggregated(small));
    small = [];
    smallBytes = 1;
  };
  for (const unit of units) {
    if (unit.length > mostBytes) {
      flush();
      payloads.push(...fragments(unit, mostBytes));
      continue;
    }
    if (smallBytes + LENGTH_BYTES + unit.length > mostBytes) flush();
    small.push(unit);
    smallBytes += LENGTH_BYTES + unit.length;
  }
  flush();
  return payloads.map((pieces, at) => payloadOf(pieces, at === payloads.length - 1));
}

/** RFC 6184 §5.7.1 */
function aggregated(units: readonly Buffer[]): Buffer[] {
  const importance = Math.max(...units.map((unit) => (unit[0] ?? 0) & 0x60));
  return [
    Buffer.from([importance | STAP_A]),
    ...units.flatMap((unit) => [Buffer.from([unit.length >>> 8, unit.length & 0xff]), unit]),
  ];
}

/** RFC 6184 §5.8: of nearly the same size, so that the last one isn't a crumb. */
function fragments(unit: Buffer, mostBytes: number): Buffer[][] {
  const head = unit[0] ?? 0;
  const body = unit.subarray(1);
  const count = Math.ceil(body.length / (mostBytes - FU_HEAD_BYTES));
  const size = Math.ceil(body.length / count);
  return Array.from({ length: count }, (_, at) => {
    const flags = (at === 0 ? 0x80 : 0) | (at === count - 1 ? 0x40 : 0);
    return [Buffer.from([(head & 0xe0) | FU_A, flags | (head & 0x1f)]), body.subarray(at * size, (at + 1) * size)];
  });
}

/** Puts access units together from payloads that come in order, in modes 0 and 1. */
export class H264Depacketiser {
  #units: Buffer[] = [];
  #fragments: Buffer[] | undefined;
  #bytes = 0;
  #timestamp: number | undefined;
  #isBroken = false;

  /**
   * Takes a payload.
   *
   * @returns the access units that it completes: its own, and before it one that had no marker
   * @throws {RtpError} `malformed`
   */
  push(payload: Buffer, marker: boolean, timestamp: number): Depacketised[] {
    const isNext = this.#timestamp !== undefined && this.#timestamp !== timestamp;
    const before = isNext ? this.#complete() : undefined;
    this.#timestamp = timestamp;
    this.#add(payload);
    const own = marker ? this.#complete() : undefined;
    return [before, own].filter((unit) => unit !== undefined);
  }

  /** A packet is missing: what is under way is of no use. */
  lost(): void {
    this.#isBroken = true;
    this.#fragments = undefined;
  }

  #add(payload: Buffer): void {
    const [indicator = 0] = payload;
    if (payload.length < 2) throw malformed(`an H.264 payload of ${payload.length} bytes`);
    this.#bytes += payload.length;
    if (this.#bytes > MOST_BYTES || this.#units.length > MOST_UNITS) throw malformed('an access unit without an end');
    const type = indicator & 0x1f;
    if (type === STAP_A) this.#addAll(payload);
    else if (type === FU_A) this.#addFragment(payload, indicator);
    else if (type >= 1 && type <= 23) this.#units.push(payload);
    else throw malformed(`an H.264 payload of type ${type}`);
  }

  #addAll(payload: Buffer): void {
    for (let at = 1; at < payload.length; ) {
      if (at + LENGTH_BYTES > payload.length) throw malformed('an aggregate whose last length is cut off');
      const end = at + LENGTH_BYTES + payload.readUInt16BE(at);
      if (end > payload.length) throw malformed('an aggregate whose last unit is cut off');
      if (end > at + LENGTH_BYTES) this.#units.push(payload.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
  }

  #addFragment(payload: Buffer, indicator: number): void {
    const header = payload.readUInt8(1);
    if ((header & 0x80) !== 0) this.#fragments = [Buffer.from([(indicator & 0xe0) | (header & 0x1f)])];
    // The beginning was lost.
    if (this.#fragments === undefined) {
      this.#isBroken = true;
      return;
    }
    this.#fragments.push(payload.subarray(FU_HEAD_BYTES));
    if ((header & 0x40) === 0) return;
    this.#units.push(Buffer.concat(this.#fragments));
    this.#fragments = undefined;
  }

  #complete(): Depacketised | undefined {
    const [units, timestamp = 0] = [this.#units, this.#timestamp];
    const isBroken = this.#isBroken || this.#fragments !== undefined;
    this.#units = [];
    this.#fragments = undefined;
    this.#bytes = 0;
    this.#isBroken = false;
    this.#timestamp = undefined;
    if (isBroken) return undefined;
    const parameterSets = units.filter((unit) => typeOf(unit) === NAL.sps || typeOf(unit) === NAL.pps);
    const media = units.filter((unit) => !parameterSets.includes(unit) && !isEmpty(unit));
    if (media.length === 0) return undefined;
    const keyframe = media.some((unit) => typeOf(unit) === NAL.idr);
    return { timestamp, accessUnit: joinLengthPrefixed(media), keyframe, parameterSets };
  }
}

const isEmpty = (unit: Buffer): boolean => typeOf(unit) === NAL.delimiter || typeOf(unit) === NAL.filler;
