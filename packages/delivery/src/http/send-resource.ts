import type { FileHandle } from 'node:fs/promises';
import { Http2ServerResponse } from 'node:http2';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import parseRange from 'range-parser';
import type { NodeRequest } from './media-request.js';
import type { NodeResponse } from './media-response.js';

/**
 * What is sent: it is in memory, in a file, which is closed when it has been sent, or read as it is sent, from one byte
 * to another, both included.
 */
export type Content =
  | { readonly bytes: Buffer }
  | { readonly file: FileHandle; readonly size: number }
  | { readonly size: number; readonly read: (start: number, end: number) => AsyncIterable<Buffer> };

interface Stretch {
  readonly start: number;
  /** The last byte that belongs to it. */
  readonly end: number;
}

/** What a request gets. */
type Part = Stretch | 'whole' | 'outside' | 'as-known' | 'another';

/**
 * Answers a request for something that doesn't change, or for one range of it: RFC 9110 §13 and §14. Who asks for
 * several ranges at once gets all, as for a range of what may be another version.
 *
 * @param headers of a full answer, without its length. By a strong `ETag` among them parts are told to belong together
 * @returns the bytes of the answer's body
 */
export async function sendResource(
  message: NodeRequest,
  response: NodeResponse,
  content: Content,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const size = 'bytes' in content ? content.bytes.length : content.size;
  const part = partFor(message, size, headers.ETag);
  const stretch = stretchOf(part, size);
  writeHead(response, { part, stretch, size, headers });
  const length = stretch === undefined || message.method === 'HEAD' ? 0 : stretch.end - stretch.start + 1;
  if (stretch === undefined || length === 0) {
    response.end();
    if ('file' in content) await content.file.close();
    return 0;
  }
  const { start, end } = stretch;
  if ('bytes' in content) {
    response.end(content.bytes.subarray(start, end + 1));
    return length;
  }
  if ('file' in content) {
    const stream = content.file.createReadStream({ start, end });
    await sendStream(stream, response);
    return stream.bytesRead;
  }
  return sendPieces(content.read(start, end), response);
}

/**
 * Sends what is read piece by piece, as fast as it is taken, and stops reading when the viewer hangs up.
 *
 * @returns the bytes that were read
 */
export async function sendPieces(pieces: AsyncIterable<Buffer>, response: NodeResponse): Promise<number> {
  let sent = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      sent += piece.length;
      yield piece;
    }
  }
  await sendStream(Readable.from(counted(), { objectMode: false }), response);
  return sent;
}

async function sendStream(stream: Readable, response: NodeResponse): Promise<void> {
  // Of a viewer who resets a stream without an error code, Node tells only the stream itself.
  const sink = response instanceof Http2ServerResponse ? response.stream : response;
  try {
    await pipeline(stream, sink);
  } catch (error) {
    // The viewer hung up.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

function writeHead(
  response: NodeResponse,
  answer: { part: Part; stretch: Stretch | undefined; size: number; headers: Readonly<Record<string, string>> },
): void {
  const { part, stretch, size, headers } = answer;
  if (part === 'outside') {
    response.writeHead(416, { 'Content-Range': `bytes */${size}`, 'Content-Length': 0, 'Cache-Control': 'no-store' });
  } else if (part === 'another') {
    response.writeHead(412, { 'Content-Length': 0, 'Cache-Control': 'no-store' });
  } else if (part === 'as-known') {
    const { 'Content-Type': _type, 'Content-Disposition': _name, ...kept } = headers;
    response.writeHead(304, kept);
  } else {
    const { start, end } = stretch ?? { start: 0, end: -1 };
    const range = part === 'whole' ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` };
    const own = { 'Accept-Ranges': 'bytes', 'Content-Length': end - start + 1, ...range };
    response.writeHead(part === 'whole' ? 200 : 206, { ...headers, ...own });
  }
}

function stretchOf(part: Part, size: number): Stretch | undefined {
  if (part === 'whole') return size === 0 ? undefined : { start: 0, end: size - 1 };
  return typeof part === 'string' ? undefined : part;
}

/** In the order of RFC 9110 §13.2.2. */
function partFor({ method, headers }: NodeRequest, size: number, etag: string | undefined): Part {
  const { range, 'if-range': ifRange, 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch !== undefined && etag !== undefined && !names(ifMatch, etag, 'strong')) return 'another';
  if (ifNoneMatch !== undefined && etag !== undefined && names(ifNoneMatch, etag, 'weak')) return 'as-known';
  // A Range is for GET alone, §14.2; by If-Range only with the very version, §13.1.5.
  if (range === undefined || method !== 'GET') return 'whole';
  if (ifRange !== undefined && (etag === undefined || String(ifRange).trim() !== etag)) return 'whole';
  const ranges = parseRange(size, range);
  if (ranges === -1) return 'outside';
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return 'whole';
  return ranges[0] ?? 'whole';
}

/** Whether a list of entity tags has one in it. RFC 9110 §8.8.3.2. */
function names(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => (comparison === 'weak' ? tag.replace(/^W\//, '') : tag) === etag);
}
