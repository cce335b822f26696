import { RtmpError } from '../errors.js';
import { MESSAGE_TYPE, type RtmpMessage } from './message.js';

/** RTMP §5.4.1: before anybody says otherwise. */
export const DEFAULT_CHUNK_SIZE = 128;

/** Caps on what a peer can make a reader keep, before it is known who the peer is. */
export interface ChunkReaderLimits {
  /** Of audio, video and aggregate messages: a keyframe of 4K video fits many times over. */
  readonly maxMediaBytes: number;
  /** Of commands and data: the longest seen are keyframe indexes of recorded files. */
  readonly maxCommandBytes: number;
  /** Chunk streams at once: encoders use up to ten. */
  readonly maxChunkStreams: number;
}

export const DEFAULT_CHUNK_LIMITS: ChunkReaderLimits = {
  maxMediaBytes: 16 * 1024 * 1024,
  maxCommandBytes: 256 * 1024,
  maxChunkStreams: 64,
};

/** Control messages have 4 to 10 bytes. */
const MAX_CONTROL_BYTES = 64;
/**
 * What messages under way may hold beside one media message of full size. Peers interleave audio with a video
 * message, hardly ever more; without this cap each chunk stream could hold a message of full size.
 */
const INTERLEAVED_BYTES = 1024 * 1024;
const EXTENDED_TIMESTAMP = 0xff_ffff;
/** Bytes of the message header by format, RTMP §5.3.1.2. */
const MESSAGE_HEADER_SIZES = [11, 7, 3, 0] as const;

interface ChunkStream {
  timestamp: number;
  delta: number;
  length: number;
  type: number;
  messageStreamId: number;
  /** The extended timestamp field of the last header; undefined where it had none. */
  extended: number | undefined;
  /** The message under way; grows with what has come, never ahead of it. */
  assembly: Buffer;
  received: number;
}

/**
 * Whether a peer repeats the extended timestamp on chunks of format 3. The specification (§5.3.1.3) says so, some
 * peers don't; the first such chunk tells. Continuations and beginnings of messages are habits of their own.
 */
type Habit = 'unknown' | 'repeats' | 'omits';

const NOTHING: Buffer = Buffer.alloc(0);

/** Puts messages together from chunks, wherever the bytes are cut. RTMP §5.3. */
export class ChunkReader {
  readonly #limits: ChunkReaderLimits;
  readonly #streams = new Map<number, ChunkStream>();
  #maxMediaBytes: number;
  #pending = NOTHING;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #current: ChunkStream | undefined;
  /** Payload bytes of the current chunk that are still to come. */
  #left = 0;
  /** Memory that messages under way take. */
  #held = 0;
  #continuationHabit: Habit = 'unknown';
  #beginningHabit: Habit = 'unknown';

  constructor(limits: ChunkReaderLimits = DEFAULT_CHUNK_LIMITS) {
    this.#limits = limits;
    this.#maxMediaBytes = limits.maxMediaBytes;
  }

  /** Changes the cap on media messages, for the headers to come. Never above that of the limits. */
  setMaxMediaBytes(bytes: number): void {
    this.#maxMediaBytes = Math.min(bytes, this.#limits.maxMediaBytes);
  }

  /**
   * @param chunk isn't kept: it may be overwritten afterwards
   * @returns the messages that are complete by now, in their order; Set Chunk Size and Abort have been obeyed
   * @throws {RtmpError} `malformed` or `too-large`; the reader is of no use afterwards
   */
  push(chunk: Buffer): RtmpMessage[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const messages: RtmpMessage[] = [];
    let position = 0;
    for (;;) {
      if (this.#current === undefined) {
        const end = this.#readHeader(bytes, position);
        if (end === undefined) break;
        position = end;
      }
      const stream = this.#current;
      if (stream === undefined) break;
      const taken = Math.min(this.#left, bytes.length - position);
      this.#append(stream, bytes, position, taken);
      position += taken;
      this.#left -= taken;
      if (this.#left > 0) break;
      this.#current = undefined;
      if (stream.received === stream.length) messages.push(this.#complete(stream));
    }
    // A copy: what is kept over must not pin the whole read buffer.
    this.#pending = position === bytes.length ? NOTHING : Buffer.from(bytes.subarray(position));
    return messages;
  }

  /** @returns where the payload begins; undefined while the header is incomplete */
  #readHeader(bytes: Buffer, start: number): number | undefined {
    const first = bytes[start];
    if (first === undefined) return undefined;
    const format = first >> 6;
    const basicSize = (first & 0x3f) === 0 ? 2 : (first & 0x3f) === 1 ? 3 : 1;
    const headerAt = start + basicSize;
    const extendedAt = headerAt + (MESSAGE_HEADER_SIZES[format] ?? 0);
    if (bytes.length < extendedAt) return undefined;
    const chunkStreamId = readChunkStreamId(bytes, start, basicSize);
    const known = this.#streams.get(chunkStreamId);
    if (known === undefined && format >= 2) {
      throw new RtmpError('malformed', `chunk stream ${chunkStreamId} begins with a header of format ${format}`);
    }
    if (format === 3 && known !== undefined) {
      const payloadAt = this.#skipRepeatedTimestamp(known, bytes, extendedAt);
      if (payloadAt !== undefined) this.#continue(known);
      return payloadAt;
    }
    let extended: number | undefined;
    if (bytes.readUIntBE(headerAt, 3) === EXTENDED_TIMESTAMP) {
      if (bytes.length < extendedAt + 4) return undefined;
      extended = bytes.readUInt32BE(extendedAt);
    }
    const stream = known ?? this.#open(chunkStreamId);
    this.#begin(stream, format, bytes, headerAt, extended);
    this.#enter(stream);
    return extended === undefined ? extendedAt : extendedAt + 4;
  }

  /** @returns where the payload of a chunk of format 3 begins; undefined while that can't be told */
  #skipRepeatedTimestamp(stream: ChunkStream, bytes: Buffer, at: number): number | undefined {
    if (stream.extended === undefined) return at;
    const beginning = stream.received === 0;
    let habit = beginning ? this.#beginningHabit : this.#continuationHabit;
    if (habit === 'unknown') {
      const time = beginning ? (stream.timestamp + stream.delta) >>> 0 : stream.timestamp;
      // Some repeat the field, some write the message's whole timestamp, whatever the field was.
      const there = Math.max(agreement(bytes, at, stream.extended), agreement(bytes, at, time));
      if (there === 4) habit = 'repeats';
      else if (at + there < bytes.length) habit = 'omits';
      else return undefined;
      if (beginning) this.#beginningHabit = habit;
      else this.#continuationHabit = habit;
    }
    if (habit === 'omits') return at;
    return bytes.length < at + 4 ? undefined : at + 4;
  }

  #open(chunkStreamId: number): ChunkStream {
    if (this.#streams.size >= this.#limits.maxChunkStreams) {
      throw new RtmpError('too-large', `more than ${this.#limits.maxChunkStreams} chunk streams`);
    }
    const stream: ChunkStream = {
      timestamp: 0,
      delta: 0,
      length: 0,
      type: 0,
      messageStreamId: 0,
      extended: undefined,
      assembly: NOTHING,
      received: 0,
    };
    this.#streams.set(chunkStreamId, stream);
    return stream;
  }

  #continue(stream: ChunkStream): void {
    if (stream.received === 0) {
      stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
      this.#checkLength(stream);
    }
    this.#enter(stream);
  }

  #begin(stream: ChunkStream, format: number, bytes: Buffer, at: number, extended: number | undefined): void {
    // A new header in the middle of a message: the peer has given the old one up.
    this.#abandon(stream);
    stream.extended = extended;
    const time = extended ?? bytes.readUIntBE(at, 3);
    // After format 0, a message that begins with format 3 is as much later again: §5.3.1.2.4.
    stream.delta = time;
    stream.timestamp = format === 0 ? time : (stream.timestamp + time) >>> 0;
    if (format === 0) stream.messageStreamId = bytes.readUInt32LE(at + 7);
    if (format < 2) {
      stream.length = bytes.readUIntBE(at + 3, 3);
      stream.type = bytes[at + 6] ?? 0;
    }
    this.#checkLength(stream);
  }

  #enter(stream: ChunkStream): void {
    this.#current = stream;
    this.#left = Math.min(this.#chunkSize, stream.length - stream.received);
  }

  #append(stream: ChunkStream, bytes: Buffer, from: number, count: number): void {
    const end = stream.received + count;
    if (end > stream.assembly.length) {
      const grown = Buffer.allocUnsafe(Math.min(stream.length, Math.max(end, stream.assembly.length * 2)));
      this.#held += grown.length - stream.assembly.length;
      if (this.#held > this.#maxMediaBytes + INTERLEAVED_BYTES) {
        throw new RtmpError('too-large', `unfinished messages of ${this.#held} bytes in all`);
      }
      stream.assembly.copy(grown, 0, 0, stream.received);
      stream.assembly = grown;
    }
    bytes.copy(stream.assembly, stream.received, from, from + count);
    stream.received = end;
  }

  #checkLength({ type, length }: ChunkStream): void {
    const limit = this.#limitOf(type);
    if (length > limit) {
      throw new RtmpError('too-large', `a message of type ${type} and ${length} bytes; ${limit} are allowed`);
    }
  }

  #limitOf(type: number): number {
    if (type === MESSAGE_TYPE.audio || type === MESSAGE_TYPE.video || type === MESSAGE_TYPE.aggregate) {
      return this.#maxMediaBytes;
    }
    return type <= MESSAGE_TYPE.setPeerBandwidth ? MAX_CONTROL_BYTES : this.#limits.maxCommandBytes;
  }

  #complete(stream: ChunkStream): RtmpMessage {
    const payload = stream.assembly.subarray(0, stream.length);
    this.#abandon(stream);
    const { type, messageStreamId, timestamp } = stream;
    if (type === MESSAGE_TYPE.setChunkSize) this.#setChunkSize(payload);
    if (type === MESSAGE_TYPE.abort) this.#abort(payload);
    return { type, messageStreamId, timestamp, payload };
  }

  #abandon(stream: ChunkStream): void {
    this.#held -= stream.assembly.length;
    stream.assembly = NOTHING;
    stream.received = 0;
  }

  /** RTMP §5.4.1. A size above that of any message is as good as that. */
  #setChunkSize(payload: Buffer): void {
    if (payload.length < 4) throw new RtmpError('malformed', `Set Chunk Size of ${payload.length} bytes`);
    const size = payload.readUInt32BE();
    if (size === 0 || size > 0x7fff_ffff) throw new RtmpError('malformed', `chunk size ${size}`);
    this.#chunkSize = size;
  }

  /** RTMP §5.4.2. */
  #abort(payload: Buffer): void {
    if (payload.length < 4) throw new RtmpError('malformed', `Abort of ${payload.length} bytes`);
    const stream = this.#streams.get(payload.readUInt32BE());
    if (stream !== undefined) this.#abandon(stream);
  }
}

/** 1, 2 or 3 bytes, RTMP §5.3.1.1. */
function readChunkStreamId(bytes: Buffer, at: number, size: number): number {
  if (size === 1) return (bytes[at] ?? 0) & 0x3f;
  const second = bytes[at + 1] ?? 0;
  return size === 2 ? 64 + second : 64 + second + (bytes[at + 2] ?? 0) * 256;
}

/** How many of the (up to four) bytes at `at` are those of `value`. */
function agreement(bytes: Buffer, at: number, value: number): number {
  let count = 0;
  while (count < 4 && bytes[at + count] === ((value >>> (24 - 8 * count)) & 0xff)) count++;
  return count;
}
