import { readSync } from 'node:fs';

/** Bytes of a file from an offset on; fewer where it ends. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const read = fillAt(fd, offset, bytes);
  return bytes.subarray(0, read);
}

/** @returns how many bytes there were */
export function fillAt(fd: number, offset: number, bytes: Buffer): number {
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(fd, bytes, done, bytes.length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
