import { type FrameSink, VideoHead } from './video-head.js';

const FILE_HEADER = 9;
const PREVIOUS_TAG_SIZE = 4;
const TAG_HEADER = 11;
const TYPE_MASK = 0x1f;
const VIDEO = 9;

/** Walks over an FLV byte stream from tag to tag, looks at the heads of video tags and keeps nothing. FLV §E.4.1. */
export class FlvWalker {
  readonly #sink: FrameSink;
  readonly #head = new VideoHead();
  readonly #header = new Uint8Array(TAG_HEADER);
  #headerHave = 0;
  #video = false;
  #bodyHave = 0;
  /** Of the body, and the previous-tag size behind it. The file's header is walked over like a body. */
  #left = FILE_HEADER + PREVIOUS_TAG_SIZE;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Walks over `bytes[start]` to `bytes[end]`, which aren't kept. */
  feed(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#left === 0) {
        this.#header[this.#headerHave++] = bytes[at++] ?? 0;
        if (this.#headerHave === TAG_HEADER) this.#beginBody();
      } else {
        const length = Math.min(end - at, this.#left);
        if (this.#video) this.#head.take(bytes, at, length, this.#bodyHave);
        this.#bodyHave += length;
        this.#left -= length;
        at += length;
        if (this.#left === 0) this.#endBody();
      }
    }
  }

  #beginBody(): void {
    const header = this.#header;
    this.#headerHave = 0;
    this.#bodyHave = 0;
    this.#video = ((header[0] ?? 0) & TYPE_MASK) === VIDEO;
    this.#left = (((header[1] ?? 0) << 16) | ((header[2] ?? 0) << 8) | (header[3] ?? 0)) + PREVIOUS_TAG_SIZE;
  }

  #endBody(): void {
    if (this.#video && this.#head.sequence >= 0) this.#sink.frame(this.#head.sequence, this.#head.keyframe);
    this.#head.sequence = -1;
  }
}
