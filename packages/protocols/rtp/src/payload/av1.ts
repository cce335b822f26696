import { AV1_OBU, MediaError, type Obu, splitObus } from '@sluice/media';
import { malformed } from '../errors.js';
import { CONTINUES_OBU, COUNT_SHIFT, HAS_EXTENSION, HAS_SIZE, STAYS_BEHIND, WILL_CONTINUE } from './av1-format.js';
import { checkUnits, Depacketiser } from './depacketiser.js';
import { leb128, readLeb128 } from './leb128.js';
import type { Depacketised } from './payload.js';

/** OBU types that begin with a frame header, and the one that goes on from it. AV1 §6.2.2 */
const FRAME_HEADER = 3;
const FRAME = 6;
const TILE_GROUP = 4;

/** Puts temporal units together from payloads that come in order. */
export class Av1Depacketiser extends Depacketiser {
  #obus: Obu[] = [];
  #fragments: Buffer[] | undefined;

  protected override add(payload: Buffer): boolean {
    const header = payload[0] ?? 0;
    const continues = (header & CONTINUES_OBU) !== 0;
    const willContinue = (header & WILL_CONTINUE) !== 0;
    const elements = elementsOf(payload);
    if (continues !== (this.#fragments !== undefined)) return false;
    for (const [at, element] of elements.entries()) {
      const fragments = this.#fragments ?? [];
      fragments.push(element);
      const isOpen = willContinue && at === elements.length - 1;
      this.#fragments = isOpen ? fragments : undefined;
      if (!isOpen) this.#addObu(fragments.length === 1 ? element : Buffer.concat(fragments));
    }
    return true;
  }

  protected override complete(mayMissStart: boolean): Omit<Depacketised, 'timestamp'> | undefined {
    if (this.#fragments !== undefined) return undefined;
    const frame = this.#obus.find(({ type }) => type === FRAME_HEADER || type === FRAME || type === TILE_GROUP);
    if (frame === undefined) return undefined;
    const hasSequence = this.#obus.some(({ type }) => type === AV1_OBU.sequenceHeader);
    // A frame goes on from its header, and a keyframe stands behind its sequence's.
    const isWithoutStart = frame.type === TILE_GROUP || (isShownKeyframe(frame) && !hasSequence);
    if (mayMissStart && isWithoutStart) return undefined;
    return {
      accessUnit: Buffer.concat(this.#obus.flatMap(sized)),
      keyframe: hasSequence && isShownKeyframe(frame),
      parameterSets: [],
    };
  }

  protected override reset(): void {
    this.#obus = [];
    this.#fragments = undefined;
  }

  #addObu(bytes: Buffer): void {
    for (const obu of obusOf(bytes)) {
      if (STAYS_BEHIND.has(obu.type)) continue;
      checkUnits(this.#obus.length);
      this.#obus.push(obu);
    }
  }
}

/** AV1 RTP §4.4, §4.5 */
function elementsOf(payload: Buffer): Buffer[] {
  const count = ((payload[0] ?? 0) >> COUNT_SHIFT) & 0x03;
  const elements: Buffer[] = [];
  let at = 1;
  while (at < payload.length) {
    const isLast = count > 0 && elements.length === count - 1;
    const { value, length } = isLast ? { value: payload.length - at, length: 0 } : readLeb128(payload, at);
    const begin = at + length;
    if (value > payload.length - begin) throw malformed(`an OBU element of ${value} bytes is cut off`);
    if (value === 0) throw malformed('an empty OBU element');
    checkUnits(elements.length);
    elements.push(payload.subarray(begin, begin + value));
    at = begin + value;
  }
  if (elements.length === 0) throw malformed('an AV1 payload without an OBU');
  if (count > 0 && elements.length !== count) throw malformed(`${elements.length} OBU elements, ${count} were told`);
  return elements;
}

function obusOf(bytes: Buffer): Obu[] {
  try {
    return splitObus(bytes);
  } catch (error) {
    if (error instanceof MediaError) throw malformed(error.message);
    throw error;
  }
}

function sized({ bytes, payload }: Obu): Buffer[] {
  const first = bytes[0] ?? 0;
  if ((first & HAS_SIZE) !== 0) return [bytes];
  const extension = (first & HAS_EXTENSION) === 0 ? [] : [bytes[1] ?? 0];
  return [Buffer.from([first | HAS_SIZE, ...extension]), leb128(payload.length), payload];
}

/** show_existing_frame 0, frame_type KEY_FRAME, show_frame 1: AV1 §5.9.2. */
function isShownKeyframe({ type, payload }: Obu): boolean {
  return type !== TILE_GROUP && ((payload[0] ?? 0) & 0xf0) === 0x10;
}
