import { malformed, RtpError } from '../errors.js';

/** When the packets of a transport came, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1. */
export interface TransportFeedback {
  /** Numbers these packets: 8 bits that wrap. */
  readonly count: number;
  /** The transport-wide number of the first packet that is told of: 16 bits that wrap. */
  readonly base: number;
  /** In units of 64 ms of the receiver's clock: 24 bits that wrap. */
  readonly referenceTime: number;
  /** When each came, from `base` on, in units of 250 µs since the reference time; undefined for what didn't come. */
  readonly arrivals: readonly (number | undefined)[];
}

/** Units of arrival times in one of the reference time. */
export const TICKS_PER_REFERENCE = 256;
/** Milliseconds of a unit of arrival times. */
export const TICK_MS = 0.25;
/** No honest receiver is so far behind, and 20 bytes could claim 65,535. */
export const MOST_STATUSES = 8192;

const HEAD_BYTES = 8;
const MISSING = 0;
/** One byte, 0 to 255 ticks after the one before. */
const SMALL = 1;
/** Two bytes, of either sign. */
const LARGE = 2;
const LONGEST_RUN = 0x1fff;

/** How far the next arrival may be from the one before, in ticks. */
export const fitsDelta = (delta: number): boolean => delta >= -0x8000 && delta <= 0x7fff;

/** @param content what follows the two sources @throws {RtpError} `malformed` */
export function readTransportFeedback(content: Buffer): TransportFeedback {
  if (content.length < HEAD_BYTES) throw malformed(`transport feedback of ${content.length} bytes; 8 are needed`);
  const expected = content.readUInt16BE(2);
  if (expected > MOST_STATUSES) throw malformed(`transport feedback of ${expected} packets; ${MOST_STATUSES} may be`);
  const { symbols, end } = readSymbols(content, expected);
  const arrivals: (number | undefined)[] = [];
  let [at, ticks] = [end, 0];
  for (const symbol of symbols) {
    if (symbol !== MISSING) {
      if (at + symbol > content.length) throw malformed('the arrival times of transport feedback are cut off');
      ticks += symbol === SMALL ? content.readUInt8(at) : content.readInt16BE(at);
      at += symbol;
    }
    arrivals.push(symbol === MISSING ? undefined : ticks);
  }
  return {
    base: content.readUInt16BE(0),
    referenceTime: content.readUIntBE(4, 3),
    count: content.readUInt8(7),
    arrivals,
  };
}

/** §3.1.2 to 3.1.4: runs of a symbol, or 14 of one bit, or 7 of two. */
function readSymbols(content: Buffer, expected: number): { symbols: number[]; end: number } {
  const symbols: number[] = [];
  let at = HEAD_BYTES;
  for (; symbols.length < expected; at += 2) {
    if (at + 2 > content.length) throw malformed('the statuses of transport feedback are cut off');
    const chunk = content.readUInt16BE(at);
    const left = expected - symbols.length;
    if (chunk < 0x8000) {
      const [symbol, run] = [chunk >>> 13, chunk & LONGEST_RUN];
      if (run === 0) throw malformed('a run of no packets in transport feedback');
      for (let count = Math.min(run, left); count > 0; count--) symbols.push(symbol);
    } else {
      const [bits, size] = (chunk & 0x4000) === 0 ? [1, 14] : [2, 7];
      for (let index = 1; index <= Math.min(size, left); index++) {
        symbols.push((chunk >>> (14 - index * bits)) & (bits === 1 ? 1 : 3));
      }
    }
  }
  if (symbols.some((symbol) => symbol > LARGE)) throw malformed('a status of transport feedback is reserved');
  return { symbols, end: at };
}

/**
 * Writes it, padded to a multiple of four bytes.
 *
 * @throws {RtpError} `unsupported`: two arrivals are further apart than `fitsDelta`, or there are too many packets
 */
export function writeTransportFeedback({ count, base, referenceTime, arrivals }: TransportFeedback): Buffer {
  if (arrivals.length > MOST_STATUSES) {
    throw new RtpError('unsupported', `transport feedback of ${arrivals.length} packets; split it at ${MOST_STATUSES}`);
  }
  const deltas = deltasOf(arrivals);
  const symbols = deltas.map((delta) => (delta === undefined ? MISSING : isSmall(delta) ? SMALL : LARGE));
  const chunks = chunksOf(symbols);
  const length = symbols.reduce((sum: number, symbol) => sum + symbol, HEAD_BYTES + chunks.length * 2);
  const content = Buffer.alloc(Math.ceil(length / 4) * 4);
  content.writeUInt16BE(base & 0xffff, 0);
  content.writeUInt16BE(arrivals.length, 2);
  content.writeUIntBE(referenceTime & 0xff_ffff, 4, 3);
  content.writeUInt8(count & 0xff, 7);
  let at = HEAD_BYTES;
  for (const chunk of chunks) at = content.writeUInt16BE(chunk, at);
  for (const delta of deltas) {
    if (delta === undefined) continue;
    at = isSmall(delta) ? content.writeUInt8(delta, at) : content.writeInt16BE(delta, at);
  }
  return content;
}

const isSmall = (delta: number): boolean => delta >= 0 && delta <= 0xff;

function deltasOf(arrivals: readonly (number | undefined)[]): (number | undefined)[] {
  let before = 0;
  return arrivals.map((arrival) => {
    if (arrival === undefined) return undefined;
    const delta = arrival - before;
    if (!fitsDelta(delta)) throw new RtpError('unsupported', `arrivals ${delta} ticks apart do not fit into feedback`);
    before = arrival;
    return delta;
  });
}

function chunksOf(symbols: readonly number[]): number[] {
  const chunks: number[] = [];
  for (let at = 0; at < symbols.length; ) {
    const symbol = symbols[at] ?? MISSING;
    let run = 1;
    while (run < LONGEST_RUN && symbols[at + run] === symbol) run += 1;
    const next = symbols.slice(at, at + 14);
    const [bits, size] = next.includes(LARGE) ? [2, 7] : [1, 14];
    if (run >= size || at + run === symbols.length) {
      chunks.push((symbol << 13) | run);
      at += run;
      continue;
    }
    const kind = bits === 1 ? 0x8000 : 0xc000;
    const vector = next.slice(0, size);
    chunks.push(vector.reduce((chunk, value, index) => chunk | (value << (14 - (index + 1) * bits)), kind));
    at += vector.length;
  }
  return chunks;
}
