import { MediaError } from '../errors.js';
import { readText, terminatedText } from './text.js';

/** A frame of an ID3 tag, as far as timed metadata is made of them. */
export type Id3Frame =
  /** ID3v2.4.0 frames §4.2.6. */
  | { readonly id: 'TXXX'; readonly description: string; readonly value: string }
  /** ID3v2.4.0 frames §4.27. */
  | { readonly id: 'PRIV'; readonly owner: string; readonly data: Buffer }
  /** Any other, unread. */
  | { readonly id: string; readonly content: Buffer };

const HEADER = 10;
const FRAME_HEADER = 10;
const UTF8 = 3;
/** 28 bits. */
const MAX_SIZE = 2 ** 28 - 1;
/** Of the tag's header, ID3v2.4.0 structure §3.1. */
const FLAG = { unsynchronised: 0x80, extended: 0x40 } as const;
/** Of a frame's second byte of flags, §4.1.2: what was done to its content. */
const FRAME_FLAG = { grouped: 0x40, compressed: 0x08, encrypted: 0x04, unsynchronised: 0x02, hasLength: 0x01 } as const;
const PADDING = 0;

/**
 * An ID3v2.4 tag. Text is written as UTF-8.
 *
 * @throws {MediaError} `too-large` past 256 MiB; `malformed` for a frame id that isn't four capitals or digits
 */
export function writeId3(frames: readonly Id3Frame[]): Buffer {
  const body = Buffer.concat(frames.map(writeFrame));
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([4, 0, 0]), syncsafe(body.length), body]);
}

/**
 * Reads an ID3 tag of version 2.3 or 2.4; what is behind it isn't looked at. Frames that are compressed or encrypted
 * are given as they stand.
 *
 * @throws {MediaError} `malformed`, `truncated`, or `unsupported` for another version
 */
export function readId3(bytes: Buffer): Id3Frame[] {
  if (bytes.length < HEADER || bytes.toString('latin1', 0, 3) !== 'ID3') {
    throw new MediaError('malformed', 'the bytes do not begin with an ID3 tag');
  }
  const version = bytes[3] ?? 0;
  if (version !== 3 && version !== 4) throw new MediaError('unsupported', `ID3v2.${version}; 2.3 and 2.4 are read`);
  const flags = bytes[5] ?? 0;
  const end = HEADER + readSyncsafe(bytes, 6);
  if (end > bytes.length) throw new MediaError('truncated', `an ID3 tag of ${end} bytes in ${bytes.length}`);
  let body = bytes.subarray(HEADER, end);
  const isUnsynchronised = (flags & FLAG.unsynchronised) !== 0;
  if (isUnsynchronised && version === 3) body = synchronised(body);
  const frames: Id3Frame[] = [];
  for (let at = (flags & FLAG.extended) === 0 ? 0 : extendedSize(body, version); at + FRAME_HEADER <= body.length; ) {
    if (body[at] === PADDING) break;
    const size = version === 4 ? readSyncsafe(body, at + 4) : body.readUInt32BE(at + 4);
    const next = at + FRAME_HEADER + size;
    if (next > body.length) throw new MediaError('truncated', `an ID3 frame of ${size} bytes is cut off`);
    const id = body.toString('latin1', at, at + 4);
    const content = body.subarray(at + FRAME_HEADER, next);
    frames.push(version === 4 ? readFrame24(id, body[at + 9] ?? 0, content, isUnsynchronised) : readFrame(id, content));
    at = next;
  }
  return frames;
}

/** ID3v2.3 counts the header's size without its own four bytes, 2.4 with them. */
function extendedSize(body: Buffer, version: number): number {
  if (body.length < 4) throw new MediaError('truncated', 'an extended ID3 header is cut off');
  return version === 4 ? readSyncsafe(body, 0) : 4 + body.readUInt32BE();
}

function readFrame24(id: string, flags: number, content: Buffer, allUnsynchronised: boolean): Id3Frame {
  if ((flags & (FRAME_FLAG.compressed | FRAME_FLAG.encrypted)) !== 0) return { id, content };
  const extra = ((flags & FRAME_FLAG.grouped) === 0 ? 0 : 1) + ((flags & FRAME_FLAG.hasLength) === 0 ? 0 : 4);
  const own = content.subarray(extra);
  return readFrame(id, allUnsynchronised || (flags & FRAME_FLAG.unsynchronised) !== 0 ? synchronised(own) : own);
}

function readFrame(id: string, content: Buffer): Id3Frame {
  if (id === 'TXXX') {
    const encoding = content[0] ?? 0;
    const description = terminatedText(content.subarray(1), encoding);
    return { id, description: description.text, value: readText(description.rest, encoding) };
  }
  if (id === 'PRIV') {
    const owner = terminatedText(content, 0);
    return { id, owner: owner.text, data: owner.rest };
  }
  return { id, content };
}

function writeFrame(frame: Id3Frame): Buffer {
  if (!/^[A-Z0-9]{4}$/.test(frame.id)) {
    throw new MediaError('malformed', `ID3 frame ${JSON.stringify(frame.id)}; ids are four capitals or digits`);
  }
  const content = contentOf(frame);
  return Buffer.concat([Buffer.from(frame.id, 'latin1'), syncsafe(content.length), Buffer.from([0, 0]), content]);
}

function contentOf(frame: Id3Frame): Buffer {
  if ('value' in frame) {
    const description = Buffer.from(`${withoutNull(frame.description)}\0`, 'utf8');
    return Buffer.concat([Buffer.from([UTF8]), description, Buffer.from(frame.value, 'utf8')]);
  }
  if ('owner' in frame) return Buffer.concat([Buffer.from(`${withoutNull(frame.owner)}\0`, 'latin1'), frame.data]);
  return frame.content;
}

/** A null ends a name: what is behind it would be read as something else. */
function withoutNull(text: string): string {
  return text.replaceAll('\0', '');
}

/** Four bytes of seven bits each, so that no size looks like the start of an MPEG frame. §6.2 */
function syncsafe(size: number): Buffer {
  if (size > MAX_SIZE) throw new MediaError('too-large', `an ID3 tag or frame of ${size} bytes`);
  return Buffer.from([(size >> 21) & 0x7f, (size >> 14) & 0x7f, (size >> 7) & 0x7f, size & 0x7f]);
}

function readSyncsafe(bytes: Buffer, at: number): number {
  let size = 0;
  for (const byte of bytes.subarray(at, at + 4)) {
    if (byte > 0x7f) throw new MediaError('malformed', `an ID3 size with byte ${byte}; 127 is the highest`);
    size = size * 128 + byte;
  }
  return size;
}

/** Undoes unsynchronisation: FF 00 becomes FF. §6.1 */
function synchronised(bytes: Buffer): Buffer {
  return Buffer.from(bytes.filter((byte, at) => byte !== 0 || bytes[at - 1] !== 0xff));
}
