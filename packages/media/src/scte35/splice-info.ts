import { BitReader } from '../codecs/bit-reader.js';
import { MediaError } from '../errors.js';
import { crc32Mpeg } from '../mpegts/crc32.js';
import { type Micros, microsFromTicks90k, type Ticks90k, ticks90k } from '../time.js';
import { bits33, readSpliceCommand, type SpliceCommand } from './splice-command.js';
import { readSpliceDescriptors, type SpliceDescriptor } from './splice-descriptor.js';

/** The table id of a splice information section. */
export const SPLICE_TABLE = 0xfc;
/** Table id and length. */
const SECTION_HEADER = 3;
/** From the table id to the command's type, both included. */
const FIXED_SIZE = 14;
const CRC_SIZE = 4;
/** Where `pts_adjustment` begins, behind seven bits of another field. */
const ADJUSTMENT_AT = 4;
/** "The command's length isn't told", as older editions have it. */
const UNTOLD_LENGTH = 0xfff;
const CLOCK_RANGE = 2 ** 33;

/** A splice information section, SCTE 35 §9.6. */
export interface SpliceInfo {
  /** To be added to all times in it. 33 bits. */
  readonly ptsAdjustment: Ticks90k;
  /** 4095 is for all. */
  readonly tier: number;
  readonly command: SpliceCommand;
  /** Empty where the section is encrypted. */
  readonly descriptors: readonly SpliceDescriptor[];
}

/**
 * Reads a whole section: from its table id to its checksum.
 *
 * @throws {MediaError} `malformed`, `truncated`, or `unsupported` for a later version of the protocol
 */
export function parseSpliceInfo(section: Buffer): SpliceInfo {
  checkFrame(section);
  const body = section.subarray(SECTION_HEADER, section.length - CRC_SIZE);
  const bits = new BitReader(body);
  const version = bits.bits(8);
  if (version !== 0) throw new MediaError('unsupported', `SCTE 35 of protocol version ${version}; 0 is known`);
  const encrypted = bits.flag();
  bits.skip(6);
  const ptsAdjustment = ticks90k(bits33(bits));
  bits.skip(8);
  const tier = bits.bits(12);
  const commandLength = bits.bits(12);
  if (encrypted) return { ptsAdjustment, tier, command: { type: 'encrypted' }, descriptors: [] };
  const commandType = bits.bits(8);
  const commandAt = bits.position / 8;
  const end = commandLength === UNTOLD_LENGTH ? undefined : commandAt + commandLength;
  const { command, descriptorsAt } = readCommand(body, commandAt, commandType, end);
  return { ptsAdjustment, tier, command, descriptors: readLoop(body, descriptorsAt) };
}

/**
 * When what a section commands is to happen, on the clock of the transport stream that it came in: 33 bits. Undefined
 * where it says no time: it happens when it is received.
 */
export function spliceTimeOf({ command, ptsAdjustment }: SpliceInfo): Ticks90k | undefined {
  const time = command.type === 'splice-insert' || command.type === 'time-signal' ? command.time : undefined;
  return time === undefined ? undefined : ticks90k((time + ptsAdjustment) % CLOCK_RANGE);
}

/** How long what a section begins is to last: a break, or its first segment. Undefined where it doesn't say. */
export function plannedDurationOf({ command, descriptors }: SpliceInfo): Micros | undefined {
  const segment = descriptors.find((each) => each.type === 'segmentation' && each.duration !== undefined);
  const ofSegment = segment?.type === 'segmentation' ? segment.duration : undefined;
  const ticks = command.type === 'splice-insert' ? (command.breakDuration?.duration ?? ofSegment) : ofSegment;
  return ticks === undefined ? undefined : microsFromTicks90k(ticks);
}

/**
 * The same section with its times moved, as is due where a stream's timestamps are written anew. Its command may be
 * encrypted: what is added to its times isn't. SCTE 35 §9.6.1, `pts_adjustment`.
 *
 * @param by ticks to add; may be negative
 * @throws {MediaError} as `parseSpliceInfo`
 */
export function moveSpliceTimes(section: Buffer, by: number): Buffer {
  const { ptsAdjustment } = parseSpliceInfo(section);
  const moved = Buffer.from(section);
  const adjustment = (((ptsAdjustment + by) % CLOCK_RANGE) + CLOCK_RANGE) % CLOCK_RANGE;
  moved[ADJUSTMENT_AT] = ((moved[ADJUSTMENT_AT] ?? 0) & 0xfe) | Math.floor(adjustment / 2 ** 32);
  moved.writeUInt32BE(adjustment % 2 ** 32, ADJUSTMENT_AT + 1);
  moved.writeUInt32BE(crc32Mpeg(moved.subarray(0, -CRC_SIZE)), moved.length - CRC_SIZE);
  return moved;
}

function checkFrame(section: Buffer): void {
  if (section.length < FIXED_SIZE + 2 + CRC_SIZE) {
    throw new MediaError('truncated', `a splice information section of ${section.length} bytes`);
  }
  if (section[0] !== SPLICE_TABLE) {
    throw new MediaError('malformed', `table ${section[0]} is no splice information section, which is ${SPLICE_TABLE}`);
  }
  const length = SECTION_HEADER + (section.readUInt16BE(1) & 0xfff);
  if (length !== section.length) {
    throw new MediaError('malformed', `a splice information section of ${section.length} bytes says it has ${length}`);
  }
  if (crc32Mpeg(section) !== 0) throw new MediaError('malformed', 'a splice information section with a wrong checksum');
}

/** @param end where the command ends, if its length is told */
function readCommand(
  body: Buffer,
  at: number,
  commandType: number,
  end: number | undefined,
): { command: SpliceCommand; descriptorsAt: number } {
  if (end !== undefined && end > body.length) {
    throw new MediaError('truncated', `a splice command of ${end - at} bytes in ${body.length - at} that are left`);
  }
  const bits = new BitReader(body.subarray(at, end));
  const command = readSpliceCommand(bits, commandType);
  if (command === undefined && end === undefined) {
    throw new MediaError('unsupported', `splice command ${commandType} without its length`);
  }
  return { command: command ?? { type: 'other', commandType }, descriptorsAt: end ?? at + bits.position / 8 };
}

function readLoop(body: Buffer, at: number): SpliceDescriptor[] {
  const start = at + 2;
  const end = start > body.length ? start : start + body.readUInt16BE(at);
  if (end > body.length) throw new MediaError('truncated', 'the loop of splice descriptors is cut off');
  return readSpliceDescriptors(body.subarray(start, end));
}
