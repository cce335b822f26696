import { MediaError } from '@sluice/media';
import { z } from 'zod';

/** What an edge asks an origin. */
export const requestSchema = z.object({
  /** `want`: a rendition is to be made. */
  do: z.enum(['join', 'keep', 'leave', 'keyframe', 'want']),
  path: z.string().max(255),
  /** Of the stream; with `want`, of the one that it is to be a rendition of. */
  epoch: z.string().max(64),
  /** The edge's name. */
  edge: z.string().max(64),
});
export type OriginRequest = z.output<typeof requestSchema>;

/** What it answers first: to `join`, with so many messages behind it that hold what the edge begins with. */
export const answerSchema = z.union([
  z.object({ next: z.number().int().min(0), messages: z.number().int().min(0).max(100_000) }),
  z.object({ refused: z.string() }),
]);
export type OriginAnswer = z.output<typeof answerSchema>;

/** A number before the bytes. */
const HEAD = 8;

/** A stretch of a stream's bytes. Without bytes, it says which number comes next. */
export interface MediaMessage {
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * Frames as messages no longer than NATS takes: stretches of the bytes, wherever they are cut.
 *
 * @param first the number of the first message
 */
export function packMessages(pieces: readonly Buffer[], first: number, maxPayload: number): Buffer[] {
  const messages: Buffer[] = [];
  const room = maxPayload - HEAD;
  let parts: Buffer[] = [];
  let length = 0;
  const seal = () => {
    messages.push(packMessage({ number: first + messages.length, bytes: Buffer.concat(parts, length) }));
    parts = [];
    length = 0;
  };
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + room - length);
      parts.push(part);
      length += part.length;
      at += part.length;
      if (length === room) seal();
    }
  }
  if (length > 0) seal();
  return messages;
}

export function packMessage({ number, bytes }: MediaMessage): Buffer {
  const message = Buffer.allocUnsafe(HEAD + bytes.length);
  message.writeDoubleBE(number);
  bytes.copy(message, HEAD);
  return message;
}

/** @throws {MediaError} `malformed` */
export function unpackMessage(data: Uint8Array): MediaMessage {
  if (data.length < HEAD)
    throw new MediaError('malformed', `a relayed message has ${data.length} bytes; it begins with ${HEAD}`);
  const message = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { number: message.readDoubleBE(), bytes: message.subarray(HEAD) };
}
