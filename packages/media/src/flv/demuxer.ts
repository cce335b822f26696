import type { MediaEvent } from '../sample.js';
import { FlvSampleReader } from './sample-reader.js';
import { FlvTagParser } from './tag.js';

/** Reads an FLV byte stream (a file, HTTP-FLV) into what it says of the stream. */
export class FlvDemuxer {
  readonly #tags = new FlvTagParser();
  readonly #samples = new FlvSampleReader();

  /** @throws {MediaError} where the bytes can't be read; the demuxer is of no use afterwards */
  push(chunk: Buffer): MediaEvent[] {
    return this.#tags.push(chunk).flatMap((tag) => this.#samples.read(tag.type, tag.timestamp, tag.body));
  }
}
