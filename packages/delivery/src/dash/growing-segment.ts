/** The bytes of a segment, which can be sent while they are being made: whole chunks, one after the other. */
export class GrowingSegment {
  readonly #chunks: Buffer[] = [];
  readonly #followers = new Set<() => void>();
  #length = 0;
  #isComplete = false;

  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  append(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#tell();
  }

  complete(): void {
    this.#isComplete = true;
    this.#tell();
    this.#followers.clear();
  }

  /** @param onMore called for each chunk to come, and at the end @returns stops it */
  follow(onMore: () => void): () => void {
    this.#followers.add(onMore);
    return () => this.#followers.delete(onMore);
  }

  #tell(): void {
    for (const onMore of [...this.#followers]) onMore();
  }
}
