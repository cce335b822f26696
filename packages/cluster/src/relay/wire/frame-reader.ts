import { ByteQueue, MediaError, micros, millis, type Sample, type TimedMetadata } from '@sluice/media';
import type { NumberedFrame, WireFrame } from '../frame.js';
import { decodeDescription, decodeMetadata, decodeTrack } from './description.js';
import {
  FRAME_HEAD,
  FRAME_TYPE,
  SAMPLE_HEAD,
  SAMPLE_IS_KEYFRAME,
  SAMPLE_IS_VIDEO,
  TIMED_METADATA_HEAD,
} from './frame-type.js';

/** Largest frame that is taken: a picture may have as many bytes as an RTMP message at most. */
const MOST_BYTES = 257 * 1024 * 1024;

/** Bytes of a line back into frames, however they are cut. */
export class FrameReader {
  readonly #maxFrameBytes: number;
  readonly #queue = new ByteQueue();

  /** @param options.maxFrameBytes a larger one is an error */
  constructor(options: { maxFrameBytes?: number } = {}) {
    this.#maxFrameBytes = options.maxFrameBytes ?? MOST_BYTES;
  }

  /**
   * The frames that are whole by now. Their bytes are stretches of what was pushed, where that is possible.
   *
   * @throws {MediaError} `malformed` or `too-large`; nothing can be read behind that
   */
  push(bytes: Buffer): NumberedFrame[] {
    this.#queue.push(bytes);
    const frames: NumberedFrame[] = [];
    while (this.#queue.length >= FRAME_HEAD) {
      const head = this.#queue.peek(FRAME_HEAD);
      const length = head.readUInt32BE(0);
      if (length < FRAME_HEAD - 4) throw new MediaError('malformed', `a relay frame says that it has ${length} bytes`);
      if (length > this.#maxFrameBytes) {
        throw new MediaError('too-large', `a relay frame has ${length} bytes; ${this.#maxFrameBytes} are allowed`);
      }
      if (this.#queue.length < 4 + length) break;
      const [stream, type] = [head.readUInt32BE(4), head.readUInt8(8)];
      this.#queue.skip(FRAME_HEAD);
      const frame = readBody(type, this.#queue.take(length + 4 - FRAME_HEAD));
      if (frame !== undefined) frames.push({ stream, frame });
    }
    return frames;
  }
}

/** @returns undefined for a type of a later version */
function readBody(type: number, body: Buffer): WireFrame | undefined {
  switch (type) {
    case FRAME_TYPE.sample:
      return { type: 'sample', sample: readSample(body) };
    case FRAME_TYPE.description:
      return { type: 'description', description: decodeDescription(body) };
    case FRAME_TYPE.config:
      return { type: 'config', config: decodeTrack(body) };
    case FRAME_TYPE.metadata:
      return { type: 'metadata', metadata: decodeMetadata(body) };
    case FRAME_TYPE['timed-metadata']:
      return readTimedMetadata(body);
    case FRAME_TYPE['wall-origin']:
      return { type: 'wall-origin', at: millis(readDouble(body)) };
    case FRAME_TYPE.discontinuity:
      return { type: 'discontinuity' };
    case FRAME_TYPE.end:
      return { type: 'end', reason: body.toString() };
    case FRAME_TYPE['end-of-track']:
      return { type: 'end-of-track', track: readDouble(body) };
    case FRAME_TYPE.message:
      return { type: 'message', data: body };
    default:
      return undefined;
  }
}

function readSample(body: Buffer): Sample {
  need(body, SAMPLE_HEAD, 'sample');
  const flags = body.readUInt8(0);
  return {
    track: body.readUInt32BE(1),
    kind: (flags & SAMPLE_IS_VIDEO) === 0 ? 'audio' : 'video',
    dts: micros(body.readDoubleBE(5)),
    pts: micros(body.readDoubleBE(13)),
    keyframe: (flags & SAMPLE_IS_KEYFRAME) !== 0,
    data: body.subarray(SAMPLE_HEAD),
  };
}

function readTimedMetadata(body: Buffer): TimedMetadata {
  need(body, TIMED_METADATA_HEAD, 'piece of timed metadata');
  const kind = body.readUInt8(0) === 0 ? 'id3' : 'scte35';
  return { type: 'timed-metadata', kind, at: micros(body.readDoubleBE(1)), data: body.subarray(TIMED_METADATA_HEAD) };
}

function readDouble(body: Buffer): number {
  need(body, 8, 'number');
  return body.readDoubleBE(0);
}

function need(body: Buffer, bytes: number, what: string): void {
  if (body.length >= bytes) return;
  throw new MediaError('malformed', `a relayed ${what} has ${body.length} bytes; it begins with ${bytes}`);
}
