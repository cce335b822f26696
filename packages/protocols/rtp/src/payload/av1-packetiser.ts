import { AV1_OBU, type Obu, splitObus } from '@sluice/media';
import {
  BEGINS_SEQUENCE,
  CONTINUES_OBU,
  COUNT_SHIFT,
  HAS_EXTENSION,
  HAS_SIZE,
  MOST_COUNTED,
  STAYS_BEHIND,
  WILL_CONTINUE,
} from './av1-format.js';
import { leb128, leb128Length } from './leb128.js';
import { checkRoom, payloadsOf, type RtpPayload } from './payload.js';

/** An OBU or a part of one. */
interface Element {
  readonly pieces: readonly Buffer[];
  readonly length: number;
}

/** A part of this much isn't worth a packet's last bytes. */
const LEAST_FRAGMENT_BYTES = 8;

/**
 * Splits a temporal unit: OBUs without size fields, small ones together, large ones in fragments. AV1 RTP §4.4, §5
 *
 * @param temporalUnit OBUs with size fields
 * @param maxBytes of a payload
 * @param options.keyframe whether a coded video sequence begins; the temporal unit then has its sequence header
 * @throws {MediaError} where the temporal unit can't be split
 */
export function packetiseAv1(
  temporalUnit: Buffer,
  maxBytes: number,
  options: { readonly keyframe: boolean },
): RtpPayload[] {
  checkRoom(maxBytes);
  const packer = new Packer(maxBytes, options.keyframe);
  for (const obu of splitObus(temporalUnit)) if (!STAYS_BEHIND.has(obu.type)) packer.add(obu);
  return payloadsOf(packer.finish());
}

/** Fills one payload after the other. */
class Packer {
  readonly #maxBytes: number;
  readonly #isKeyframe: boolean;
  readonly #payloads: Buffer[][] = [];
  #elements: Element[] = [];
  /** Of the payload under way, if each of its elements has a length. */
  #bytes = 1;
  /** Of the OBUs in the payload under way that have an extension. */
  #layer: number | undefined;
  #continues = false;

  constructor(maxBytes: number, isKeyframe: boolean) {
    this.#maxBytes = maxBytes;
    this.#isKeyframe = isKeyframe;
  }

  add(obu: Obu): void {
    const { header, layer } = headerOf(obu);
    const isOfOtherLayer = this.#layer !== undefined && layer !== undefined && layer !== this.#layer;
    if (isOfOtherLayer || obu.type === AV1_OBU.sequenceHeader) this.#flush(false);
    this.#layer ??= layer;
    const element = { pieces: [header, obu.payload], length: header.length + obu.payload.length };
    for (let left: Element | undefined = element; left !== undefined; ) left = this.#put(left, layer);
  }

  finish(): Buffer[][] {
    this.#flush(false);
    return this.#payloads;
  }

  /** Puts as much as there is room for. Returns what is left. */
  #put(element: Element, layer: number | undefined): Element | undefined {
    const room = this.#maxBytes - this.#bytes;
    const withLength = leb128Length(element.length) + element.length;
    if (withLength <= room) {
      this.#push(element);
      return undefined;
    }
    // Only the last element of few may go without its length.
    const isCounted = this.#elements.length < MOST_COUNTED;
    if (isCounted && element.length <= room) {
      this.#push(element);
      this.#flush(false);
      return undefined;
    }
    const size = isCounted ? room : room - leb128Length(room);
    if (this.#elements.length > 0 && size < LEAST_FRAGMENT_BYTES) {
      this.#flush(false);
      this.#layer = layer;
      return element;
    }
    const [part, rest] = split(element, size);
    this.#push(part);
    this.#flush(true);
    this.#layer = layer;
    return rest;
  }

  #push(element: Element): void {
    this.#elements.push(element);
    this.#bytes += leb128Length(element.length) + element.length;
  }

  #flush(willContinue: boolean): void {
    const count = this.#elements.length;
    if (count > 0) {
      const isCounted = count <= MOST_COUNTED;
      const header =
        (this.#continues ? CONTINUES_OBU : 0) |
        (willContinue ? WILL_CONTINUE : 0) |
        (isCounted ? count << COUNT_SHIFT : 0) |
        (this.#isKeyframe && this.#payloads.length === 0 ? BEGINS_SEQUENCE : 0);
      const elements = this.#elements.flatMap(({ pieces, length }, at) =>
        isCounted && at === count - 1 ? pieces : [leb128(length), ...pieces],
      );
      this.#payloads.push([Buffer.from([header]), ...elements]);
      this.#continues = willContinue;
    }
    this.#elements = [];
    this.#bytes = 1;
    this.#layer = undefined;
  }
}

/** An OBU's header, as it is without a size field. */
function headerOf({ bytes }: Obu): { readonly header: Buffer; readonly layer: number | undefined } {
  const first = (bytes[0] ?? 0) & ~HAS_SIZE;
  if ((first & HAS_EXTENSION) === 0) return { header: Buffer.from([first]), layer: undefined };
  const layer = bytes[1] ?? 0;
  return { header: Buffer.from([first, layer]), layer };
}

function split({ pieces, length }: Element, size: number): [Element, Element] {
  const [first, rest]: [Buffer[], Buffer[]] = [[], []];
  let room = size;
  for (const piece of pieces) {
    if (room > 0) first.push(piece.subarray(0, room));
    if (piece.length > room) rest.push(piece.subarray(room));
    room = Math.max(0, room - piece.length);
  }
  return [
    { pieces: first, length: size },
    { pieces: rest, length: length - size },
  ];
}
