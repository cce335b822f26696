import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Http2ServerResponse } from 'node:http2';

/**
 * What routes need of a response, whether it goes out by HTTP/1.1 or as a stream of an HTTP/2 connection. Headers that
 * speak of the connection (`Connection`, `Keep-Alive`) are none of theirs: HTTP/2 has none, RFC 9113 §8.2.2.
 */
export interface MediaResponse {
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  writeHead(status: number, headers?: OutgoingHttpHeaders): unknown;
  write(chunk: Uint8Array): unknown;
  end(body?: string | Uint8Array): unknown;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/** A response as node makes it. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Whether nobody is left to read the answer. */
export function isAbandoned(response: NodeResponse): boolean {
  return response instanceof Http2ServerResponse ? response.stream.destroyed : response.destroyed;
}
