import { MOST_SDP_BYTES } from '@sluice/webrtc';
import type { NodeRequest } from '../media-request.js';

/** How long a body may take to come. */
const BODY_TIMEOUT_MS = 5000;

/** A body that can't be taken, with the status that says so. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The body's media type, without its parameters. */
export function typeOf(message: NodeRequest): string {
  const [type = ''] = (message.headers['content-type'] ?? '').split(';');
  return type.trim().toLowerCase();
}

/**
 * Reads a body to its end, if it has an end in time.
 *
 * @throws {BodyError}
 */
export async function readBody(message: NodeRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => message.destroy(new BodyError(408, 'the body took too long')), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MOST_SDP_BYTES) throw new BodyError(413, `a body has at most ${MOST_SDP_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    throw new BodyError(400, 'the body was cut off');
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
