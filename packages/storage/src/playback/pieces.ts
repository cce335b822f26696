import type { Piece } from './fragments.js';
import type { RecordingSource } from './recording-sources.js';

/**
 * The bytes of pieces that follow each other, from one byte to another of all of them.
 *
 * @param end included
 */
export async function* readPieces(
  source: RecordingSource,
  pieces: Iterable<Piece>,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Buffer> {
  let at = 0;
  for (const piece of pieces) {
    if (at > end) return;
    const from = Math.max(start - at, 0);
    const to = Math.min(end + 1 - at, piece.length);
    at += piece.length;
    if (from >= to) continue;
    if (Buffer.isBuffer(piece)) yield piece.subarray(from, to);
    else yield* source.stream(piece.offset + from, to - from);
  }
}
