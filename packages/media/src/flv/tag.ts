import { MediaError } from '../errors.js';

/** Audio, video, script data. The numbers are RTMP's message types too. */
export type FlvTagType = 8 | 9 | 18;
export const FLV_AUDIO = 8;
export const FLV_VIDEO = 9;
export const FLV_SCRIPT = 18;

/** One FLV tag, FLV §E.4.1. */
export interface FlvTag {
  readonly type: FlvTagType;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  readonly body: Buffer;
}

const TAG_HEADER = 11;
const FILE_HEADER = 9;
const PREVIOUS_TAG_SIZE = 4;
/** All that 24 bits can say, four times the keyframe of a 4K video at 100 Mbit/s. RTMP messages have the same cap. */
export const MAX_FLV_TAG_BYTES = 16 * 1024 * 1024 - 1;
/** A file may have a longer header than ours, FLV §E.2; more than this is nonsense. */
const MAX_FILE_HEADER = 1024;

/** Takes an FLV byte stream apart, at whatever places it is cut. */
export class FlvTagParser {
  readonly #maxTagBytes: number;
  /** The beginning of what isn't complete: `#held` bytes, in a buffer that may be longer. */
  #assembly: Buffer = Buffer.alloc(0);
  #held = 0;
  /** No tag is complete before so many bytes are there. */
  #wanted = FILE_HEADER;
  #headerRead = false;

  /** @param options.maxTagBytes cap on the body of a tag, which is what a peer can make us keep */
  constructor(options: { readonly maxTagBytes?: number } = {}) {
    this.#maxTagBytes = options.maxTagBytes ?? MAX_FLV_TAG_BYTES;
  }

  /**
   * @returns the tags that are complete by now; their bodies are views into the bytes that came
   * @throws {MediaError} where the bytes are no FLV; the parser is of no use afterwards
   */
  push(chunk: Buffer): FlvTag[] {
    if (this.#held + chunk.length < this.#wanted) {
      this.#keep(chunk);
      return [];
    }
    const bytes = this.#held === 0 ? chunk : Buffer.concat([this.#assembly.subarray(0, this.#held), chunk]);
    const tags: FlvTag[] = [];
    const position = this.#readTags(bytes, this.#headerRead ? 0 : this.#readFileHeader(bytes), tags);
    this.#assembly = bytes.subarray(position);
    this.#held = this.#assembly.length;
    return tags;
  }

  /** Grows by doubling, so that a tag that comes in many small pieces costs no more than one that comes in few. */
  #keep(chunk: Buffer): void {
    const held = this.#held + chunk.length;
    if (held > this.#assembly.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.#wanted, Math.max(held, 2 * this.#assembly.length)));
      this.#assembly.copy(grown, 0, 0, this.#held);
      this.#assembly = grown;
    }
    chunk.copy(this.#assembly, this.#held);
    this.#held = held;
  }

  #readTags(bytes: Buffer, from: number, tags: FlvTag[]): number {
    let position = from;
    while (this.#headerRead) {
      this.#wanted = TAG_HEADER;
      if (bytes.length - position < TAG_HEADER) break;
      const type = tagType(bytes[position] ?? 0);
      const size = bytes.readUIntBE(position + 1, 3);
      if (size > this.#maxTagBytes) {
        throw new MediaError('too-large', `an FLV tag of ${size} bytes; ${this.#maxTagBytes} are allowed`);
      }
      this.#wanted = TAG_HEADER + size + PREVIOUS_TAG_SIZE;
      if (bytes.length - position < this.#wanted) break;
      const body = bytes.subarray(position + TAG_HEADER, position + TAG_HEADER + size);
      if (type !== undefined) tags.push({ type, timestamp: readTimestamp(bytes, position + 4), body });
      position += this.#wanted;
    }
    return position;
  }

  #readFileHeader(bytes: Buffer): number {
    if (bytes.toString('latin1', 0, 3) !== 'FLV')
      throw new MediaError('malformed', 'the bytes do not begin with "FLV"');
    const length = bytes.readUInt32BE(5);
    if (length < FILE_HEADER || length > MAX_FILE_HEADER) {
      throw new MediaError('malformed', `an FLV file header of ${length} bytes`);
    }
    this.#wanted = length + PREVIOUS_TAG_SIZE;
    if (bytes.length < this.#wanted) return 0;
    this.#headerRead = true;
    return length + PREVIOUS_TAG_SIZE;
  }
}

/** The tag's type; undefined for one to be passed over. The reserved bits of a broken stream end it here. */
function tagType(byte: number): FlvTagType | undefined {
  if ((byte & 0x20) !== 0) throw new MediaError('unsupported', 'an encrypted FLV tag');
  const type = byte & 0x1f;
  if ((byte & 0xc0) !== 0 || type === 0) throw new MediaError('malformed', `FLV tag type ${byte}`);
  return type === FLV_AUDIO || type === FLV_VIDEO || type === FLV_SCRIPT ? type : undefined;
}

/** 24 bits, and 8 more in front of them behind. */
function readTimestamp(bytes: Buffer, offset: number): number {
  return bytes.readUIntBE(offset, 3) + (bytes[offset + 3] ?? 0) * 0x100_0000;
}

/** The first 13 bytes of a file, with the size of the tag that isn't before the first one. FLV §E.2. */
export function flvFileHeader(has: { readonly audio: boolean; readonly video: boolean }): Buffer {
  const flags = (has.audio ? 4 : 0) | (has.video ? 1 : 0);
  return Buffer.from([0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, FILE_HEADER, 0, 0, 0, 0]);
}

/**
 * A tag with its trailing size.
 *
 * @param timestamp milliseconds; the low 32 bits count
 * @throws {MediaError} `too-large`
 */
export function encodeFlvTag(type: FlvTagType, timestamp: number, ...bodyParts: readonly Buffer[]): Buffer {
  let size = 0;
  for (const part of bodyParts) size += part.length;
  if (size > MAX_FLV_TAG_BYTES) throw new MediaError('too-large', `an FLV tag of ${size} bytes`);
  const tag = Buffer.allocUnsafe(TAG_HEADER + size + PREVIOUS_TAG_SIZE);
  const time = timestamp >>> 0;
  tag[0] = type;
  tag.writeUIntBE(size, 1, 3);
  tag.writeUIntBE(time & 0xff_ffff, 4, 3);
  tag[7] = time >>> 24;
  tag.writeUIntBE(0, 8, 3);
  let position = TAG_HEADER;
  for (const part of bodyParts) position += part.copy(tag, position);
  tag.writeUInt32BE(TAG_HEADER + size, position);
  return tag;
}
