import { MediaError } from '../errors.js';
import { type Millis, millis, unwrapCounter } from '../time.js';
import { FLV_AUDIO, FLV_SCRIPT, FLV_VIDEO, type FlvTagType, MAX_FLV_TAG_BYTES } from './tag.js';

/** What an FLV file holds, found without reading its samples. */
export interface FlvIndex {
  /** The end of the last whole tag. What is behind it was cut off, or is no tag. */
  readonly end: number;
  /** What is between tags and is none. */
  readonly damage: readonly FlvDamage[];
  /** From the first sample to the end of the last, whose own duration is taken to be that of the one before it. */
  readonly duration: Millis;
  /** Timestamp of the last sample, unwrapped. */
  readonly lastTimestamp: Millis;
  /** Pictures that a player can begin with. Times as in the tags. */
  readonly keyframes: readonly FlvKeyframe[];
  /** Where the first tag with a configuration of video is. */
  readonly videoConfigAt: number | undefined;
  /** The body of the script tag that the file begins with. */
  readonly metadata: { readonly offset: number; readonly body: Buffer } | undefined;
}

/** Bytes of a file. */
export interface FlvDamage {
  readonly start: number;
  readonly end: number;
}

export interface FlvKeyframe {
  readonly at: Millis;
  /** Of its tag, from the beginning of the file. */
  readonly offset: number;
}

/** Bytes that a scan wants to see. At the end of the file fewer may come. */
interface WantedBytes {
  readonly offset: number;
  readonly length: number;
}

const FILE_HEADER = 9;
const MAX_FILE_HEADER = 1024;
const TAG_HEADER = 11;
const PREVIOUS_TAG_SIZE = 4;
const WINDOW = 256 * 1024;
/** Of a body: enough to know a configuration and a keyframe. */
const BODY_HEAD = 2;
const TIMESTAMP_BITS = 32;

/** So many make a place behind damage one where tags go on. */
const TAGS_IN_A_ROW = 3;
/** A tag of a type that doesn't exist: readers pass over it. */
const FLV_FILLER = 31;

/**
 * Goes over the tags of a file, FLV §E.4.1, to the last that is whole. Sans-I/O: it asks for bytes, and is given them.
 *
 * @throws {MediaError} `malformed` where the file is no FLV, or ends within its header
 */
export function* scanFlv(): Generator<WantedBytes, FlvIndex, Buffer> {
  const window = new ScanWindow();
  const first = yield* readFileHeader(window);
  const contents = new Contents();
  const damage: FlvDamage[] = [];
  let end = first;
  for (;;) {
    const tag = yield* readTag(window, end);
    if (tag === undefined) {
      const next = yield* findTags(window, end + TAG_HEADER + PREVIOUS_TAG_SIZE);
      if (next === undefined) break;
      damage.push({ start: end, end: next });
      end = next;
      continue;
    }
    const { type, size } = tag;
    if (type !== FLV_SCRIPT) contents.take(tag);
    else if (end === first) contents.metadata = yield* readMetadata(window, end + TAG_HEADER, size);
    end += TAG_HEADER + size + PREVIOUS_TAG_SIZE;
  }
  return { end, damage, ...contents.summary() };
}

/** @returns undefined where there is none, or not all of one */
function* readTag(window: ScanWindow, offset: number): Generator<WantedBytes, SeenTag | undefined, Buffer> {
  const header = yield* window.see(offset, TAG_HEADER);
  const type = header?.[0];
  if (header === undefined || !isTagType(type)) return undefined;
  const size = header.readUIntBE(1, 3);
  const timestamp = header.readUIntBE(4, 3) + (header[7] ?? 0) * 0x100_0000;
  const body = yield* window.see(offset + TAG_HEADER, Math.min(size, BODY_HEAD));
  const kind = body === undefined ? 'other' : kindOf(type, body);
  const trailer = yield* window.see(offset + TAG_HEADER + size, PREVIOUS_TAG_SIZE);
  if (trailer?.readUInt32BE() !== TAG_HEADER + size) return undefined;
  return { type, kind, timestamp, offset, size };
}

/** Where tags go on behind bytes that are none. */
function* findTags(window: ScanWindow, from: number): Generator<WantedBytes, number | undefined, Buffer> {
  for (let offset = from; ; ) {
    const bytes = yield* window.ahead(offset, TAG_HEADER);
    if (bytes === undefined) return undefined;
    const at = findTagHeader(bytes);
    offset += at ?? bytes.length - TAG_HEADER + 1;
    if (at === undefined) continue;
    if (yield* areTags(window, offset)) return offset;
    offset += 1;
  }
}

function* areTags(window: ScanWindow, from: number): Generator<WantedBytes, boolean, Buffer> {
  let offset = from;
  for (let count = 0; count < TAGS_IN_A_ROW; count++) {
    const tag = yield* readTag(window, offset);
    if (tag === undefined) return false;
    offset += TAG_HEADER + tag.size + PREVIOUS_TAG_SIZE;
  }
  return true;
}

function findTagHeader(bytes: Buffer): number | undefined {
  for (let at = 0; at + TAG_HEADER <= bytes.length; at++) {
    if (isTagType(bytes[at]) && bytes[at + 8] === 0 && bytes[at + 9] === 0 && bytes[at + 10] === 0) return at;
  }
  return undefined;
}

function isTagType(byte: number | undefined): byte is SeenTag['type'] {
  return byte === FLV_AUDIO || byte === FLV_VIDEO || byte === FLV_SCRIPT || byte === FLV_FILLER;
}

/** @returns where the first tag begins */
function* readFileHeader(window: ScanWindow): Generator<WantedBytes, number, Buffer> {
  const header = yield* window.see(0, FILE_HEADER);
  if (header?.toString('latin1', 0, 3) !== 'FLV')
    throw new MediaError('malformed', 'the bytes do not begin with "FLV"');
  const length = header.readUInt32BE(5);
  if (length < FILE_HEADER || length > MAX_FILE_HEADER) {
    throw new MediaError('malformed', `an FLV file header of ${length} bytes`);
  }
  const previous = yield* window.see(length, PREVIOUS_TAG_SIZE);
  if (previous === undefined) throw new MediaError('malformed', 'the file ends within its FLV header');
  return length + PREVIOUS_TAG_SIZE;
}

function* readMetadata(window: ScanWindow, offset: number, size: number) {
  const body = yield* window.see(offset, size);
  return body === undefined ? undefined : { offset, body: Buffer.from(body) };
}

/** The part of the file that was seen last. */
class ScanWindow {
  #offset = 0;
  #bytes: Buffer = Buffer.alloc(0);

  /** @returns undefined where the file ends before; otherwise a view that holds until more is seen */
  *see(offset: number, length: number): Generator<WantedBytes, Buffer | undefined, Buffer> {
    const bytes = yield* this.ahead(offset, length);
    return bytes?.subarray(0, length);
  }

  /** As `see`, and what is known behind it. */
  *ahead(offset: number, length: number): Generator<WantedBytes, Buffer | undefined, Buffer> {
    if (offset < this.#offset || offset + length > this.#offset + this.#bytes.length) {
      this.#bytes = yield { offset, length: Math.max(length, WINDOW) };
      this.#offset = offset;
    }
    const from = offset - this.#offset;
    return from + length <= this.#bytes.length ? this.#bytes.subarray(from) : undefined;
  }
}

type TagKind = 'config' | 'keyframe' | 'sample' | 'other';

interface SeenTag {
  readonly type: FlvTagType | typeof FLV_FILLER;
  readonly kind: TagKind;
  /** 32 bits. */
  readonly timestamp: number;
  readonly offset: number;
  /** Of its body. */
  readonly size: number;
}

/** Times of the samples of one kind. */
interface Run {
  last: number;
  step: number;
}

class Contents {
  metadata: FlvIndex['metadata'];
  readonly #keyframes: FlvKeyframe[] = [];
  readonly #runs = new Map<number, Run>();
  #videoConfigAt: number | undefined;
  #previous: number | undefined;
  #first = Number.POSITIVE_INFINITY;

  take({ type, kind, timestamp, offset }: SeenTag): void {
    if (kind === 'config' && type === FLV_VIDEO) this.#videoConfigAt ??= offset;
    if (kind === 'config' || kind === 'other') return;
    const at = unwrapCounter(this.#previous ?? timestamp, timestamp, TIMESTAMP_BITS);
    this.#previous = at;
    this.#first = Math.min(this.#first, at);
    const run = this.#runs.get(type);
    this.#runs.set(type, { last: at, step: run === undefined || at <= run.last ? (run?.step ?? 0) : at - run.last });
    if (kind === 'keyframe') this.#keyframes.push({ at: millis(at), offset });
  }

  summary(): Omit<FlvIndex, 'end' | 'damage'> {
    const runs = [...this.#runs.values()];
    const last = Math.max(...runs.map((run) => run.last));
    const ends = Math.max(...runs.map((run) => run.last + run.step));
    return {
      duration: millis(runs.length === 0 ? 0 : ends - this.#first),
      lastTimestamp: millis(runs.length === 0 ? 0 : last),
      keyframes: this.#keyframes,
      videoConfigAt: this.#videoConfigAt,
      metadata: this.metadata,
    };
  }
}

/** Packet types of Enhanced RTMP v2 that are the same for video and audio. */
const CONFIG = 0;
const END = 2;
const DESCRIPTION = 4;
const MULTITRACK = { video: 6, audio: 5 } as const;
const MPEG2TS_CONFIG = 5;
const FRAME = { key: 1, command: 5 } as const;
const AVC_FRAME = 1;
const SOUND = { extended: 9, aac: 10 } as const;

/** What a tag is, by the first bytes of its body. */
function kindOf(type: SeenTag['type'], body: Buffer): TagKind {
  if (body.length < BODY_HEAD || (type !== FLV_VIDEO && type !== FLV_AUDIO)) return 'other';
  return type === FLV_VIDEO ? kindOfVideo(body) : kindOfAudio(body);
}

/** FLV §E.4.3.1; Enhanced RTMP v2 "Enhanced Video". A keyframe of a further track is no place to begin. */
function kindOfVideo(body: Buffer): TagKind {
  const [first = 0, second = 0] = body;
  const frameType = (first >> 4) & 7;
  if (frameType === FRAME.command) return 'other';
  const whole = frameType === FRAME.key ? 'keyframe' : 'sample';
  if ((first & 0x80) === 0) return second === CONFIG ? 'config' : second === AVC_FRAME ? whole : 'other';
  const isOne = (first & 0xf) !== MULTITRACK.video;
  const packetType = (isOne ? first : second) & 0xf;
  if (packetType === CONFIG) return isOne ? 'config' : 'other';
  if (packetType === END || packetType === DESCRIPTION || packetType === MPEG2TS_CONFIG) return 'other';
  return isOne ? whole : 'sample';
}

/** FLV §E.4.2.1; Enhanced RTMP v2 "Enhanced Audio". */
function kindOfAudio(body: Buffer): TagKind {
  const [first = 0, second = 0] = body;
  const format = first >> 4;
  if (format === SOUND.aac) return second === CONFIG ? 'config' : 'sample';
  if (format !== SOUND.extended) return 'sample';
  const packetType = ((first & 0xf) === MULTITRACK.audio ? second : first) & 0xf;
  if (packetType === CONFIG) return 'config';
  return packetType === END || packetType === DESCRIPTION ? 'other' : 'sample';
}

/** What to write to a file so that readers pass over damage in it. */
export function coverFlvDamage({ start, end }: FlvDamage): { readonly offset: number; readonly bytes: Buffer }[] {
  const writes: { offset: number; bytes: Buffer }[] = [];
  const overhead = TAG_HEADER + PREVIOUS_TAG_SIZE;
  for (let offset = start; offset < end; ) {
    const left = end - offset;
    const room = MAX_FLV_TAG_BYTES + overhead;
    // What is left over must have room for a tag too.
    const length = left <= room ? left : Math.min(room, left - overhead);
    const header = Buffer.alloc(TAG_HEADER);
    header[0] = FLV_FILLER;
    header.writeUIntBE(length - overhead, 1, 3);
    const trailer = Buffer.alloc(PREVIOUS_TAG_SIZE);
    trailer.writeUInt32BE(length - PREVIOUS_TAG_SIZE);
    writes.push({ offset, bytes: header }, { offset: offset + length - PREVIOUS_TAG_SIZE, bytes: trailer });
    offset += length;
  }
  return writes;
}
