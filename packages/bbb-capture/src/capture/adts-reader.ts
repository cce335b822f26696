import { parseAdtsHeader } from '@sluice/media';

/** Cuts a stream of ADTS into its raw data blocks. */
export class AdtsReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws {MediaError} where it isn't ADTS */
  push(bytes: Buffer): Buffer[] {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: Buffer[] = [];
    for (;;) {
      const header = parseAdtsHeader(rest);
      if (header === undefined || rest.length < header.frameLength) break;
      frames.push(Buffer.from(rest.subarray(header.headerLength, header.frameLength)));
      rest = rest.subarray(header.frameLength);
    }
    this.#rest = rest;
    return frames;
  }
}
