import type { BitReader } from '../codecs/bit-reader.js';
import { type Ticks90k, ticks90k } from '../time.js';

/** SCTE 35 table 7. */
const COMMAND_TYPE = { null: 0x00, insert: 0x05, timeSignal: 0x06 } as const;

/** How long a break lasts, SCTE 35 §9.8.2. */
export interface BreakDuration {
  /** The break ends by itself; no message will say so. */
  readonly autoReturn: boolean;
  readonly duration: Ticks90k;
}

/** `splice_insert()`, SCTE 35 §9.7.3. */
export interface SpliceInsert {
  readonly type: 'splice-insert';
  readonly eventId: number;
  /** The event of that id, announced before, is off; the rest says nothing. */
  readonly cancelled: boolean;
  /** Away from the programme, or back to it. */
  readonly outOfNetwork: boolean;
  /** At the earliest opportunity; there is no time. */
  readonly immediate: boolean;
  /** Undefined where it is immediate or not told. Of the first component, where each has its own. 33 bits. */
  readonly time: Ticks90k | undefined;
  readonly breakDuration: BreakDuration | undefined;
  readonly uniqueProgramId: number;
  readonly availNum: number;
  readonly availsExpected: number;
}

/** What a splice information section commands. SCTE 35 §9.7. */
export type SpliceCommand =
  | { readonly type: 'splice-null' }
  | SpliceInsert
  /** What happens at that time, segmentation descriptors tell. §9.7.4 */
  | { readonly type: 'time-signal'; readonly time: Ticks90k | undefined }
  /** Not readable without a key. */
  | { readonly type: 'encrypted' }
  /** Schedules, bandwidth reservation and private commands, which are passed on unread. */
  | { readonly type: 'other'; readonly commandType: number };

/**
 * Reads a command behind its type.
 *
 * @returns undefined for a command that isn't read here
 * @throws {MediaError} `truncated`
 */
export function readSpliceCommand(bits: BitReader, commandType: number): SpliceCommand | undefined {
  switch (commandType) {
    case COMMAND_TYPE.null:
      return { type: 'splice-null' };
    case COMMAND_TYPE.insert:
      return readInsert(bits);
    case COMMAND_TYPE.timeSignal:
      return { type: 'time-signal', time: readSpliceTime(bits) };
    default:
      return undefined;
  }
}

function readInsert(bits: BitReader): SpliceInsert {
  const eventId = bits.bits(32);
  const cancelled = bits.flag();
  bits.skip(7);
  if (cancelled) return { ...NO_INSERT, eventId, cancelled };
  const outOfNetwork = bits.flag();
  const isWhole = bits.flag();
  const hasDuration = bits.flag();
  const immediate = bits.flag();
  bits.skip(4);
  const time = isWhole ? readWholeTime(bits, immediate) : readComponents(bits, immediate);
  const breakDuration = hasDuration ? readBreakDuration(bits) : undefined;
  const uniqueProgramId = bits.bits(16);
  const [availNum, availsExpected] = [bits.bits(8), bits.bits(8)];
  return {
    type: 'splice-insert',
    eventId,
    cancelled,
    outOfNetwork,
    immediate,
    time,
    breakDuration,
    uniqueProgramId,
    availNum,
    availsExpected,
  };
}

const NO_INSERT: SpliceInsert = {
  type: 'splice-insert',
  eventId: 0,
  cancelled: false,
  outOfNetwork: false,
  immediate: false,
  time: undefined,
  breakDuration: undefined,
  uniqueProgramId: 0,
  availNum: 0,
  availsExpected: 0,
};

function readWholeTime(bits: BitReader, immediate: boolean): Ticks90k | undefined {
  return immediate ? undefined : readSpliceTime(bits);
}

/** @returns the time of the first component that has one */
function readComponents(bits: BitReader, immediate: boolean): Ticks90k | undefined {
  let first: Ticks90k | undefined;
  for (let left = bits.bits(8); left > 0; left--) {
    bits.skip(8);
    const time = readWholeTime(bits, immediate);
    first ??= time;
  }
  return first;
}

/** `splice_time()`, SCTE 35 §9.8.1. */
function readSpliceTime(bits: BitReader): Ticks90k | undefined {
  const isSpecified = bits.flag();
  bits.skip(isSpecified ? 6 : 7);
  return isSpecified ? ticks90k(bits33(bits)) : undefined;
}

function readBreakDuration(bits: BitReader): BreakDuration {
  const autoReturn = bits.flag();
  bits.skip(6);
  return { autoReturn, duration: ticks90k(bits33(bits)) };
}

/** An unsigned number of 33 bits. */
export function bits33(bits: BitReader): number {
  return bits.bits(1) * 2 ** 32 + bits.bits(32);
}
