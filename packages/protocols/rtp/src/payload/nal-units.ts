import { joinLengthPrefixed } from '@sluice/media';
import { malformed } from '../errors.js';
import { checkUnits } from './depacketiser.js';
import { FIRST_FRAGMENT, LAST_FRAGMENT, LENGTH_BYTES } from './nal-packetiser.js';
import type { Depacketised } from './payload.js';

/** What units are for, in H.264 or HEVC. */
export interface NalUnitKinds {
  readonly typeOf: (unit: Buffer) => number;
  readonly isParameterSet: (unit: Buffer) => boolean;
  /** Access unit delimiters and filler. */
  readonly isEmpty: (unit: Buffer) => boolean;
  readonly isSlice: (unit: Buffer) => boolean;
  /** Of a slice: whether no other one of its picture goes before it. */
  readonly isFirstSlice: (slice: Buffer) => boolean;
  readonly isKeyframe: (units: readonly Buffer[]) => boolean;
}

/** A sender can have a stream of parameter sets without a picture. */
const MOST_PARAMETER_SETS = 64;

/** The NAL units of an access unit, as they come out of payloads. */
export class NalUnits {
  readonly #kinds: NalUnitKinds;
  #units: Buffer[] = [];
  #fragments: Buffer[] | undefined;
  /** Those that came by themselves, for the picture behind them. */
  #parameterSets: Buffer[] = [];

  constructor(kinds: NalUnitKinds) {
    this.#kinds = kinds;
  }

  /**
   * A unit that has a payload of its own.
   *
   * @returns whether it may stand here
   */
  addUnit(unit: Buffer): boolean {
    checkUnits(this.#units.length);
    this.#units.push(unit);
    return this.#fragments === undefined;
  }

  /**
   * Units behind lengths of 16 bits.
   *
   * @returns whether they may stand here
   * @throws {RtpError} `malformed`
   */
  addAggregate(bytes: Buffer, headerBytes: number): boolean {
    for (let at = 0; at < bytes.length; ) {
      if (at + LENGTH_BYTES > bytes.length) throw malformed('an aggregate whose last length is cut off');
      const begin = at + LENGTH_BYTES;
      const end = begin + bytes.readUInt16BE(at);
      if (end > bytes.length) throw malformed('an aggregate whose last unit is cut off');
      if (end > begin && end < begin + headerBytes) throw malformed('an aggregate of a unit without its header');
      if (end > begin) this.addUnit(bytes.subarray(begin, end));
      at = end;
    }
    return this.#fragments === undefined;
  }

  /**
   * A part of a unit.
   *
   * @param header that the unit has
   * @param flags of the FU header
   * @returns whether it goes on from the part before it
   */
  addFragment(header: Buffer, flags: number, part: Buffer): boolean {
    const isFirst = (flags & FIRST_FRAGMENT) !== 0;
    if (isFirst !== (this.#fragments === undefined)) return false;
    this.#fragments ??= [header];
    this.#fragments.push(part);
    if ((flags & LAST_FRAGMENT) === 0) return true;
    const unit = Buffer.concat(this.#fragments);
    this.#fragments = undefined;
    return this.addUnit(unit);
  }

  complete(mayMissStart: boolean): Omit<Depacketised, 'timestamp'> | undefined {
    if (this.#fragments !== undefined) return undefined;
    const { isParameterSet, isEmpty, isSlice, isFirstSlice, isKeyframe } = this.#kinds;
    const parameterSets = this.#withEarlier(this.#units.filter(isParameterSet));
    const media = this.#units.filter((unit) => !isParameterSet(unit) && !isEmpty(unit));
    const slice = media.find(isSlice);
    if (slice === undefined) {
      this.#parameterSets = parameterSets.slice(-MOST_PARAMETER_SETS);
      return undefined;
    }
    this.#parameterSets = [];
    if (mayMissStart && !isFirstSlice(slice)) return undefined;
    return { accessUnit: joinLengthPrefixed(media), keyframe: isKeyframe(media), parameterSets };
  }

  /** Those that came by themselves before, but for the types that came again. */
  #withEarlier(sets: readonly Buffer[]): Buffer[] {
    const { typeOf } = this.#kinds;
    const types = new Set(sets.map(typeOf));
    return [...this.#parameterSets.filter((earlier) => !types.has(typeOf(earlier))), ...sets];
  }

  reset(): void {
    this.#units = [];
    this.#fragments = undefined;
  }
}
