import { MediaError, parseVp9FrameHeader } from '@sluice/media';
import { malformed, RtpError } from '../errors.js';
import { Depacketiser } from './depacketiser.js';
import { FrameParts } from './frame-parts.js';
import { checkRoom, type Depacketised, payloadsOf, type RtpPayload, splitEvenly } from './payload.js';

/** Bits of the payload descriptor, RFC 9628 §4.2. */
const HAS_PICTURE_ID = 0x80;
const IS_PREDICTED = 0x40;
const HAS_LAYERS = 0x20;
const IS_FLEXIBLE = 0x10;
const STARTS_FRAME = 0x08;
const ENDS_FRAME = 0x04;
const HAS_STRUCTURE = 0x02;
/** The picture ID has 15 bits. */
const IS_LONG = 0x80;
const DESCRIPTOR_BYTES = 3;
/** One more reference follows. */
const HAS_MORE = 0x01;
const MOST_REFERENCES = 3;

/**
 * Splits a frame, in non-flexible mode and without layers. RFC 9628 §4.2
 *
 * @param frame or superframe
 * @param maxBytes of a payload
 * @param options.pictureId one more with each frame; its lower 15 bits are sent
 */
export function packetiseVp9(
  frame: Buffer,
  maxBytes: number,
  options: { readonly pictureId: number; readonly keyframe: boolean },
): RtpPayload[] {
  checkRoom(maxBytes);
  if (frame.length === 0) return [];
  const { pictureId, keyframe } = options;
  const parts = splitEvenly(frame, maxBytes - DESCRIPTOR_BYTES);
  return payloadsOf(
    parts.map((part, at) => {
      const place = (at === 0 ? STARTS_FRAME : 0) | (at === parts.length - 1 ? ENDS_FRAME : 0);
      const first = HAS_PICTURE_ID | (keyframe ? 0 : IS_PREDICTED) | place;
      return [Buffer.from([first, IS_LONG | ((pictureId >>> 8) & 0x7f), pictureId & 0xff]), part];
    }),
  );
}

/** Puts frames together from payloads that come in order, in both modes, with temporal layers but not spatial ones. */
export class Vp9Depacketiser extends Depacketiser {
  readonly #parts = new FrameParts();
  #hasEnd = false;

  protected override add(payload: Buffer): boolean {
    const first = payload[0] ?? 0;
    const descriptorBytes = descriptorLength(payload);
    if (payload.length <= descriptorBytes) throw malformed(`a VP9 payload of ${payload.length} bytes`);
    this.#hasEnd = (first & ENDS_FRAME) !== 0;
    return this.#parts.add(payload.subarray(descriptorBytes), (first & STARTS_FRAME) !== 0);
  }

  protected override complete(): Omit<Depacketised, 'timestamp'> | undefined {
    if (!this.#hasEnd) return undefined;
    const accessUnit = this.#parts.joined();
    return { accessUnit, keyframe: isKeyframe(accessUnit), parameterSets: [] };
  }

  protected override reset(): void {
    this.#parts.reset();
    this.#hasEnd = false;
  }
}

function isKeyframe(frame: Buffer): boolean {
  try {
    return parseVp9FrameHeader(frame).keyframe;
  } catch (error) {
    if (error instanceof MediaError) throw malformed(error.message);
    throw error;
  }
}

/** May be more than the payload has. */
function descriptorLength(payload: Buffer): number {
  const first = payload[0] ?? 0;
  let length = 1;
  if ((first & HAS_PICTURE_ID) !== 0) length += ((payload[length] ?? 0) & IS_LONG) === 0 ? 1 : 2;
  if ((first & HAS_LAYERS) !== 0) {
    const layer = ((payload[length] ?? 0) >> 1) & 0x07;
    if (layer > 0) throw new RtpError('unsupported', `VP9 of spatial layer ${layer}; send one layer`);
    length += (first & IS_FLEXIBLE) === 0 ? 2 : 1;
  }
  if ((first & IS_FLEXIBLE) !== 0 && (first & IS_PREDICTED) !== 0) {
    let references = 1;
    for (; ((payload[length] ?? 0) & HAS_MORE) !== 0; length += 1) references += 1;
    if (references > MOST_REFERENCES) throw malformed(`a VP9 frame of ${references} references`);
    length += 1;
  }
  return (first & HAS_STRUCTURE) === 0 ? length : length + structureLength(payload, length);
}

/** Of the scalability structure, RFC 9628 §4.2.1. */
function structureLength(payload: Buffer, begin: number): number {
  const first = payload[begin] ?? 0;
  const layers = (first >> 5) + 1;
  let at = begin + 1;
  if ((first & 0x10) !== 0) at += 4 * layers;
  if ((first & 0x08) !== 0) {
    const pictures = payload[at] ?? 0;
    at += 1;
    for (let picture = 0; picture < pictures; picture++) at += 1 + (((payload[at] ?? 0) >> 2) & 0x03);
  }
  return at - begin;
}
