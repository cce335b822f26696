import { MediaError } from '../errors.js';

/** The packet types that audio and video share. Enhanced RTMP v2, "Enhanced Audio" and "Enhanced Video". */
export const PACKET_TYPE = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  /** Video: coded frames with no composition time. */
  codedFramesX: 3,
  modEx: 7,
} as const;

const MULTITRACK_TYPE = { one: 0, many: 1, manyCodecs: 2 } as const;
const MODEX_TIMESTAMP_OFFSET_NANO = 0;
/** Every track has a byte for its number; more parts than numbers say something twice, and only cost us memory. */
const MAX_TRACKS = 256;

/** One track's part of a tag with an extended header. */
export interface ExtendedPart {
  readonly packetType: number;
  readonly fourCc: string;
  readonly trackNumber: number;
  readonly nanoseconds: number;
  readonly payload: Buffer;
}

/**
 * The parts of a tag body behind its first byte:
 *
 * - any number of ModEx: size - 1 (8 bits; where that is 255, 16 more bits say it), data, 4 bits of type of the
 *   modifier, 4 bits of packet type, which may be ModEx again
 * - one track: FourCC, payload
 * - multitrack: 4 bits of layout, 4 bits of packet type, FourCC unless each track has its own; then of each track its
 *   FourCC where it has its own, number (8 bits), size (24 bits) unless it is the only one, payload
 *
 * @param multitrack the packet type that announces several tracks, which differs between audio and video
 * @throws {MediaError} `truncated`, `unsupported` or `too-large`
 */
export function readExtendedParts(body: Buffer, packetType: number, multitrack: number): ExtendedPart[] {
  const cursor = new ByteCursor(body, 1);
  let type = packetType;
  let nanoseconds = 0;
  while (type === PACKET_TYPE.modEx) {
    let size = cursor.uint(1) + 1;
    if (size === 256) size = cursor.uint(2) + 1;
    const data = cursor.take(size);
    const next = cursor.uint(1);
    if (next >> 4 === MODEX_TIMESTAMP_OFFSET_NANO && data.length >= 3) nanoseconds = data.readUIntBE(0, 3);
    type = next & 0xf;
  }
  if (type !== multitrack) {
    return [{ packetType: type, fourCc: cursor.fourCc(), trackNumber: 0, nanoseconds, payload: cursor.rest() }];
  }
  return readTracks(cursor, nanoseconds);
}

function readTracks(cursor: ByteCursor, nanoseconds: number): ExtendedPart[] {
  const flags = cursor.uint(1);
  const layout = flags >> 4;
  const packetType = flags & 0xf;
  if (layout > MULTITRACK_TYPE.manyCodecs) throw new MediaError('unsupported', `multitrack type ${layout}`);
  const common = layout === MULTITRACK_TYPE.manyCodecs ? undefined : cursor.fourCc();
  const parts: ExtendedPart[] = [];
  do {
    if (parts.length === MAX_TRACKS) throw new MediaError('too-large', `more than ${MAX_TRACKS} tracks in a tag`);
    const fourCc = common ?? cursor.fourCc();
    const trackNumber = cursor.uint(1);
    const payload = layout === MULTITRACK_TYPE.one ? cursor.rest() : cursor.take(cursor.uint(3));
    parts.push({ packetType, fourCc, trackNumber, nanoseconds, payload });
  } while (!cursor.atEnd);
  return parts;
}

class ByteCursor {
  readonly #bytes: Buffer;
  #position: number;

  constructor(bytes: Buffer, position: number) {
    this.#bytes = bytes;
    this.#position = position;
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  take(count: number): Buffer {
    const end = this.#position + count;
    if (end > this.#bytes.length) {
      throw new MediaError(
        'truncated',
        `${count} bytes wanted, ${this.#bytes.length - this.#position} left in the tag`,
      );
    }
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.#position);
  }

  uint(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  fourCc(): string {
    return this.take(4).toString('latin1');
  }
}
