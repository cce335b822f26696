import { malformed } from '../errors.js';
import { Depacketiser } from './depacketiser.js';
import { FrameParts } from './frame-parts.js';
import { checkRoom, type Depacketised, payloadsOf, type RtpPayload, splitEvenly } from './payload.js';

/** Bits of the payload descriptor, RFC 7741 §4.2. */
const HAS_EXTENSION = 0x80;
const STARTS_PARTITION = 0x10;
const PARTITION = 0x07;
/** Of its extension. */
const HAS_PICTURE_ID = 0x80;
const HAS_TL0_PICTURE = 0x40;
const HAS_TEMPORAL_LAYER_OR_KEY_INDEX = 0x30;
/** The picture ID has 15 bits. */
const IS_LONG = 0x80;
const DESCRIPTOR_BYTES = 4;

/**
 * Splits a frame, without regard to its partitions. RFC 7741 §4.2
 *
 * @param maxBytes of a payload
 * @param pictureId one more with each frame; its lower 15 bits are sent
 */
export function packetiseVp8(frame: Buffer, maxBytes: number, pictureId: number): RtpPayload[] {
  checkRoom(maxBytes);
  if (frame.length === 0) return [];
  const parts = splitEvenly(frame, maxBytes - DESCRIPTOR_BYTES);
  return payloadsOf(
    parts.map((part, at) => {
      const first = HAS_EXTENSION | (at === 0 ? STARTS_PARTITION : 0);
      return [Buffer.from([first, HAS_PICTURE_ID, IS_LONG | ((pictureId >>> 8) & 0x7f), pictureId & 0xff]), part];
    }),
  );
}

/** Puts frames together from payloads that come in order. */
export class Vp8Depacketiser extends Depacketiser {
  readonly #parts = new FrameParts();

  protected override add(payload: Buffer): boolean {
    const [first = 0, extension = 0, pictureId = 0] = payload;
    let descriptorBytes = 1;
    if ((first & HAS_EXTENSION) !== 0) {
      descriptorBytes += 1;
      if ((extension & HAS_PICTURE_ID) !== 0) descriptorBytes += (pictureId & IS_LONG) === 0 ? 1 : 2;
      if ((extension & HAS_TL0_PICTURE) !== 0) descriptorBytes += 1;
      if ((extension & HAS_TEMPORAL_LAYER_OR_KEY_INDEX) !== 0) descriptorBytes += 1;
    }
    if (payload.length <= descriptorBytes) throw malformed(`a VP8 payload of ${payload.length} bytes`);
    const isStart = (first & STARTS_PARTITION) !== 0 && (first & PARTITION) === 0;
    return this.#parts.add(payload.subarray(descriptorBytes), isStart);
  }

  protected override complete(): Omit<Depacketised, 'timestamp'> {
    const accessUnit = this.#parts.joined();
    // The frame tag's first bit, RFC 6386 §9.1
    return { accessUnit, keyframe: ((accessUnit[0] ?? 0) & 1) === 0, parameterSets: [] };
  }

  protected override reset(): void {
    this.#parts.reset();
  }
}
