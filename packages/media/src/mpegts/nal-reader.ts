import { BitReader } from '../codecs/bit-reader.js';
import { buildAvcC, H264_NAL, h264NalType, h264TrackConfig, isH264Keyframe } from '../codecs/h264.js';
import { buildHvcC, HEVC_NAL, hevcNalType, hevcTrackConfig, isHevcKeyframe } from '../codecs/hevc.js';
import { joinLengthPrefixed, removeEmulationPrevention, splitAnnexB } from '../codecs/nal.js';
import { MediaError } from '../errors.js';
import { micros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';
import { ConfigTracker, type ElementaryReader, type TimedPayload } from './elementary-reader.js';
import type { TsEvent } from './events.js';

interface NalCodec {
  readonly typeOf: (unit: Buffer) => number;
  readonly isKeyframe: (units: readonly Buffer[]) => boolean;
  readonly delimiter: number;
  readonly vps?: number;
  readonly sps: number;
  readonly pps: number;
  readonly unitHeader: number;
  readonly build: (track: TrackId, sets: ParameterSets) => TrackConfig;
}

interface ParameterSets {
  readonly vps: readonly Buffer[];
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
}

const NAL_CODECS: Readonly<Record<'h264' | 'hevc', NalCodec>> = {
  h264: {
    typeOf: h264NalType,
    isKeyframe: isH264Keyframe,
    delimiter: H264_NAL.aud,
    sps: H264_NAL.sps,
    pps: H264_NAL.pps,
    unitHeader: 1,
    build: (track, { sps, pps }) => h264TrackConfig(track, buildAvcC(sps, pps)),
  },
  hevc: {
    typeOf: hevcNalType,
    isKeyframe: isHevcKeyframe,
    delimiter: HEVC_NAL.aud,
    vps: HEVC_NAL.vps,
    sps: HEVC_NAL.sps,
    pps: HEVC_NAL.pps,
    unitHeader: 2,
    build: (track, { vps, sps, pps }) => hevcTrackConfig(track, buildHvcC(vps, sps, pps)),
  },
};

/** An access unit has a few NAL units, some hundred at the most; each costs an object many times its size on the wire. */
const MAX_NAL_UNITS = 4096;
/** An avcC counts its SPS in 5 bits, ISO 14496-15 §5.3.3.1; no encoder has more of the others. */
const MAX_SETS = 31;
/** A parameter set has some dozen bytes; records give its length in 16 bits. */
const MAX_SET_BYTES = 4096;

/** H.264 or HEVC in Annex B form: a PES packet is an access unit, its parameter sets become the configuration. */
export class NalReader implements ElementaryReader {
  readonly #track: TrackId;
  readonly #codec: NalCodec;
  readonly #configs = new ConfigTracker();
  #sets: ParameterSets = { vps: [], sps: [], pps: [] };
  #configured = false;

  constructor(track: TrackId, codec: 'h264' | 'hevc') {
    this.#track = track;
    this.#codec = NAL_CODECS[codec];
  }

  read({ pts, dts, data }: TimedPayload, events: TsEvent[]): void {
    checkUnitCount(data);
    const { typeOf, delimiter, isKeyframe } = this.#codec;
    const sets: Buffer[] = [];
    const coded: Buffer[] = [];
    for (const unit of splitAnnexB(data)) {
      const type = typeOf(unit);
      if (this.#isParameterSet(type)) sets.push(unit);
      else if (type !== delimiter) coded.push(unit);
    }
    if (sets.length > 0) this.#takeSets(sets, events);
    if (coded.length === 0 || !this.#configured) return;
    if (pts === undefined || dts === undefined) throw new MediaError('unsupported', 'a video PES packet without a PTS');
    const sample = {
      track: this.#track,
      kind: 'video' as const,
      dts,
      pts: micros(Math.max(pts, dts)),
      keyframe: isKeyframe(coded),
      data: joinLengthPrefixed(coded),
    };
    events.push({ type: 'sample', sample });
  }

  reset(): void {}

  #isParameterSet(type: number): boolean {
    const { vps, sps, pps } = this.#codec;
    return type === sps || type === pps || type === vps;
  }

  #takeSets(units: readonly Buffer[], events: TsEvent[]): void {
    const { typeOf, vps, sps, pps, unitHeader, build } = this.#codec;
    if (units.some((unit) => unit.length > MAX_SET_BYTES)) {
      throw new MediaError('too-large', `a parameter set is longer than ${MAX_SET_BYTES} bytes`);
    }
    const of = (type: number | undefined) => units.filter((unit) => typeOf(unit) === type);
    const next = {
      vps: replaced(this.#sets.vps, of(vps)),
      sps: replaced(this.#sets.sps, of(sps)),
      // PPS may come alone and one by one; with an SPS they begin anew.
      pps: of(sps).length > 0 && of(pps).length > 0 ? of(pps) : merged(this.#sets.pps, of(pps), unitHeader),
    };
    if (Math.max(next.vps.length, next.sps.length, next.pps.length) > MAX_SETS) {
      throw new MediaError('too-large', `more than ${MAX_SETS} parameter sets of a kind`);
    }
    const isComplete = next.sps.length > 0 && next.pps.length > 0 && (vps === undefined || next.vps.length > 0);
    if (isComplete) {
      this.#configs.update(build(this.#track, next), events);
      this.#configured = true;
    }
    this.#sets = copied(next);
  }
}

function checkUnitCount(data: Buffer): void {
  let at = -3;
  for (let count = 0; count <= MAX_NAL_UNITS; count++) {
    at = data.indexOf('\x00\x00\x01', at + 3, 'latin1');
    if (at < 0) return;
  }
  throw new MediaError('too-large', `an access unit of more than ${MAX_NAL_UNITS} NAL units`);
}

function replaced(before: readonly Buffer[], now: readonly Buffer[]): readonly Buffer[] {
  return now.length > 0 ? now : before;
}

/** PPS with the same id take each other's place. */
function merged(before: readonly Buffer[], now: readonly Buffer[], unitHeader: number): readonly Buffer[] {
  if (now.length === 0) return before;
  const byId = new Map<number, Buffer>();
  for (const unit of [...before, ...now]) byId.set(ppsId(unit, unitHeader), unit);
  return [...byId.values()];
}

/** pic_parameter_set_id, the first value of a PPS: H.264 §7.3.2.2, H.265 §7.3.2.3.1. */
function ppsId(unit: Buffer, unitHeader: number): number {
  return new BitReader(removeEmulationPrevention(unit.subarray(unitHeader))).ue();
}

/** They outlive the packet that they came in. */
function copied({ vps, sps, pps }: ParameterSets): ParameterSets {
  const copy = (units: readonly Buffer[]) => units.map((unit) => Buffer.from(unit));
  return { vps: copy(vps), sps: copy(sps), pps: copy(pps) };
}
