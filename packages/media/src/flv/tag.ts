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
/** FLV can say 16 MiB; a keyframe of 4K video at 100 Mbit/s has 4 MiB at most. */
export const MAX_FLV_TAG_BYTES = 16 * 1024 * 1024 - 1;
/** A file may have a longer header than ours, FLV §E.2; more than this is nonsense. */
const MAX_FILE_HEADER = 1024;

/** Takes an FLV byte stream apart, at whatever places it is cut. */
export class FlvTagParser {
  #pending: Buffer = Buffer.alloc(0);
  #headerRead = false;

  /**
   * @returns the tags that are complete by now; their bodies are views into the bytes that came
   * @throws {MediaError} where the bytes are no FLV; the parser is of no use afterwards
   */
  push(chunk: Buffer): FlvTag[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const tags: FlvTag[] = [];
    let position = this.#headerRead ? 0 : this.#readFileHeader(bytes);
    while (this.#headerRead && bytes.length - position >= TAG_HEADER) {
      const size = bytes.readUIntBE(position + 1, 3);
      const end = position + TAG_HEADER + size + PREVIOUS_TAG_SIZE;
      const type = tagType(bytes[position] ?? 0);
      if (bytes.length < end) break;
      const body = bytes.subarray(position + TAG_HEADER, position + TAG_HEADER + size);
      if (type !== undefined) tags.push({ type, timestamp: readTimestamp(bytes, position + 4), body });
      position = end;
    }
    this.#pending = bytes.subarray(position);
    return tags;
  }

  #readFileHeader(bytes: Buffer): number {
    if (bytes.length < FILE_HEADER) return 0;
    if (bytes.toString('latin1', 0, 3) !== 'FLV')
      throw new MediaError('malformed', 'the bytes do not begin with "FLV"');
    const length = bytes.readUInt32BE(5);
    if (length < FILE_HEADER || length > MAX_FILE_HEADER) {
      throw new MediaError('malformed', `an FLV file header of ${length} bytes`);
    }
    if (bytes.length < length + PREVIOUS_TAG_SIZE) return 0;
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
