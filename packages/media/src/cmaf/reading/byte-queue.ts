/** Bytes in the order in which they came, copied only where they are wanted over the edge of a chunk. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The first bytes, up to `count`, which stay. */
  peek(count: number): Buffer {
    const [first] = this.#chunks;
    if (first === undefined || first.length >= count) return first?.subarray(0, count) ?? Buffer.alloc(0);
    let length = 0;
    const chunks = this.#chunks.filter((chunk) => {
      const isWanted = length < count;
      length += chunk.length;
      return isWanted;
    });
    return Buffer.concat(chunks, Math.min(length, count));
  }

  /** @param count not more than `length` */
  take(count: number): Buffer {
    const bytes = this.peek(count);
    this.skip(count);
    return bytes;
  }

  /** Drops the first bytes, up to `count`. @returns how many they were */
  skip(count: number): number {
    let left = Math.min(count, this.#length);
    const skipped = left;
    this.#length -= left;
    let whole = 0;
    for (; left > 0; whole++) {
      const chunk = this.#chunks[whole];
      if (chunk === undefined || chunk.length > left) break;
      left -= chunk.length;
    }
    this.#chunks.splice(0, whole);
    const [first] = this.#chunks;
    if (left > 0 && first !== undefined) this.#chunks[0] = first.subarray(left);
    return skipped;
  }
}
