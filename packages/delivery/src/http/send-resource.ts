import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import parseRange from 'range-parser';
import type { NodeRequest } from './media-request.js';
import type { NodeResponse } from './media-response.js';

/** What is sent: it is in memory, or in a file, which is closed when it has been sent. */
export type Content = { readonly bytes: Buffer } | { readonly file: FileHandle; readonly size: number };

interface Stretch {
  readonly start: number;
  /** The last byte that belongs to it. */
  readonly end: number;
}

/**
 * Answers a request for something that never changes, or for one range of it: RFC 9110 §14. Who asks for several
 * ranges at once gets all, as for a range of what may be another version.
 *
 * @param headers of a full answer, without its length
 * @returns the bytes of the answer's body
 */
export async function sendResource(
  message: NodeRequest,
  response: NodeResponse,
  content: Content,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const size = 'bytes' in content ? content.bytes.length : content.size;
  const asked = rangeOf(message, size);
  const { start, end } = asked === 'whole' || asked === 'outside' ? { start: 0, end: size - 1 } : asked;
  const length = asked === 'outside' || message.method === 'HEAD' ? 0 : end - start + 1;
  if (asked === 'outside') {
    response.writeHead(416, { 'Content-Range': `bytes */${size}`, 'Content-Length': 0, 'Cache-Control': 'no-store' });
  } else {
    const range = asked === 'whole' ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` };
    const own = { 'Accept-Ranges': 'bytes', 'Content-Length': end - start + 1, ...range };
    response.writeHead(asked === 'whole' ? 200 : 206, { ...headers, ...own });
  }
  if (length === 0) {
    response.end();
    if ('file' in content) await content.file.close();
    return 0;
  }
  if ('bytes' in content) {
    response.end(content.bytes.subarray(start, end + 1));
    return length;
  }
  const stream = content.file.createReadStream({ start, end });
  try {
    await pipeline(stream, response);
  } catch (error) {
    // The viewer hung up.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
  return stream.bytesRead;
}

function rangeOf({ headers }: NodeRequest, size: number): Stretch | 'whole' | 'outside' {
  const { range, 'if-range': ifRange } = headers;
  if (range === undefined || ifRange !== undefined) return 'whole';
  const ranges = parseRange(size, range);
  if (ranges === -1) return 'outside';
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return 'whole';
  return ranges[0] ?? 'whole';
}
