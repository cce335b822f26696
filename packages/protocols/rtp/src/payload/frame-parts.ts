/** A frame of VP8 or VP9, as it comes out of payloads. */
export class FrameParts {
  #parts: Buffer[] = [];

  /**
   * @param isStart whether the frame begins with this part
   * @returns whether it goes on from the part before it
   */
  add(part: Buffer, isStart: boolean): boolean {
    if (isStart !== (this.#parts.length === 0)) return false;
    this.#parts.push(part);
    return true;
  }

  joined(): Buffer {
    return Buffer.concat(this.#parts);
  }

  reset(): void {
    this.#parts = [];
  }
}
