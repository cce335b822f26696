import { createHash } from 'node:crypto';
import { fillAt } from '../../files/read-at.js';
import type { Slices } from './sliced-work.js';

const PIECE = 1024 * 1024;

/** The SHA-256 of a whole file in hex, a piece in each slice; and how many bytes it had. */
export function* checksum(fd: number): Slices<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE);
  for (let bytes = 0; ; ) {
    const read = fillAt(fd, bytes, piece);
    hash.update(piece.subarray(0, read));
    bytes += read;
    if (read < PIECE) return { sha256: hash.digest('hex'), bytes };
    yield;
  }
}
