import { KIND, type Uplink } from './uplink.js';

const WIDTH = 64;
const HEIGHT = 36;

/** Looks at a small copy of the picture: how light it is, how much it varies, how much of it has changed. */
export class PictureLook {
  readonly #uplink: Uplink;
  readonly #drawing: OffscreenCanvasRenderingContext2D;
  #before: Float32Array | undefined;

  constructor(uplink: Uplink) {
    const drawing = new OffscreenCanvas(WIDTH, HEIGHT).getContext('2d', { willReadFrequently: true });
    if (drawing === null) throw new Error('the browser has no canvas to look at the picture with');
    this.#uplink = uplink;
    this.#drawing = drawing;
  }

  /**
   * @param captured pictures that the tab has given so far, repeated ones not counted
   * @param skipped those of them that were not encoded
   */
  look(picture: VideoFrame, captured: number, skipped: number): void {
    this.#drawing.drawImage(picture, 0, 0, WIDTH, HEIGHT);
    const { data } = this.#drawing.getImageData(0, 0, WIDTH, HEIGHT);
    const luma = new Float32Array(WIDTH * HEIGHT);
    let sum = 0;
    for (let at = 0; at < luma.length; at++) {
      const [red = 0, green = 0, blue = 0] = data.subarray(at * 4, at * 4 + 3);
      luma[at] = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      sum += luma[at] ?? 0;
    }
    const mean = sum / luma.length;
    let variance = 0;
    let change = 0;
    luma.forEach((value, at) => {
      variance += (value - mean) ** 2;
      if (this.#before !== undefined) change += Math.abs(value - (this.#before[at] ?? 0));
    });
    const payload = new DataView(new ArrayBuffer(20));
    payload.setFloat32(0, mean);
    payload.setFloat32(4, Math.sqrt(variance / luma.length));
    payload.setFloat32(8, this.#before === undefined ? 255 : change / luma.length);
    payload.setUint32(12, captured);
    payload.setUint32(16, skipped);
    this.#before = luma;
    this.#uplink.send(KIND.look, 0, performance.now() * 1000, new Uint8Array(payload.buffer));
  }
}
