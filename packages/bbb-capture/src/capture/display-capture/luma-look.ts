import type { PictureLook } from '../picture-look.js';
import { LOOK } from './grab-arguments.js';

/** Nothing is left out of them. */
type LumaLook = Omit<PictureLook, 'skipped'>;

const PICTURE_BYTES = LOOK.width * LOOK.height;

/** Looks at raw pictures of one byte a pixel, as they come out of a pipe. */
export class LumaLooks {
  #rest: Buffer = Buffer.alloc(0);
  #before: Buffer | undefined;
  #count = 0;

  push(bytes: Buffer): LumaLook[] {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const looks: LumaLook[] = [];
    for (; rest.length >= PICTURE_BYTES; rest = rest.subarray(PICTURE_BYTES)) {
      looks.push(this.#look(Buffer.from(rest.subarray(0, PICTURE_BYTES))));
    }
    this.#rest = rest;
    return looks;
  }

  #look(luma: Buffer): LumaLook {
    const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
    const variance = luma.reduce((sum, value) => sum + (value - mean) ** 2, 0) / luma.length;
    const before = this.#before;
    const change =
      before === undefined
        ? 255
        : luma.reduce((sum, value, at) => sum + Math.abs(value - (before[at] ?? 0)), 0) / luma.length;
    this.#before = luma;
    this.#count += 1;
    return { mean, deviation: Math.sqrt(variance), change, captured: this.#count };
  }
}
