import { isKeyframe, MARK_HEAD, readMark } from '../sei-mark.js';

/** Reads the mark at the head of a video message whose bytes come in pieces; skips the rest. */
export class VideoHead {
  /** The access unit's sequence number; -1 if it has none, or while its head isn't there. */
  sequence = -1;
  keyframe = false;
  readonly #carried: Buffer = Buffer.alloc(MARK_HEAD);

  /**
   * @param have how many bytes of this message came before
   * @param length how many come now, at `bytes[at]`
   */
  take(bytes: Buffer, at: number, length: number, have: number): void {
    if (have === 0) {
      this.sequence = -1;
      if (length >= MARK_HEAD) {
        this.#read(bytes, at);
        return;
      }
    }
    if (have >= MARK_HEAD) return;
    const end = Math.min(MARK_HEAD, have + length);
    for (let i = have; i < end; i++) this.#carried[i] = bytes[at + i - have] ?? 0;
    if (end === MARK_HEAD) this.#read(this.#carried, 0);
  }

  #read(bytes: Buffer, at: number): void {
    this.keyframe = isKeyframe(bytes[at] ?? 0);
    this.sequence = readMark(bytes, at);
  }
}

/** Where a walker says that a marked video frame has come in whole. */
export interface FrameSink {
  frame(sequence: number, keyframe: boolean): void;
}
