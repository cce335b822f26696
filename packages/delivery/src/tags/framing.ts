import { encodeFlvTag, type FlvTagType, flvFileHeader } from '@sluice/media';
import { encodeMessage } from '@sluice/rtmp';

/** How FLV tag bodies are put on a wire: in an FLV file's form, or as RTMP messages. */
export interface TagFraming {
  /** What a viewer gets before the first tag. */
  header(has: { readonly audio: boolean; readonly video: boolean }): Buffer;
  /** @param timestamp 32-bit milliseconds */
  encode(type: FlvTagType, timestamp: number, ...bodyParts: Buffer[]): Buffer;
}

/** FLV as in a file: HTTP-FLV and WebSocket-FLV. */
export const flvFraming: TagFraming = { header: flvFileHeader, encode: encodeFlvTag };

/** Chunk streams by message type, as everybody uses them: audio 4, data 5, video 6. */
const CHUNK_STREAMS: Readonly<Record<FlvTagType, number>> = { 8: 4, 18: 5, 9: 6 };

const NOTHING = Buffer.alloc(0);

/** RTMP messages with full headers, so that a viewer can begin at any of them. */
export function rtmpFraming(options: { readonly chunkSize: number; readonly messageStreamId: number }): TagFraming {
  const { chunkSize, messageStreamId } = options;
  return {
    header: () => NOTHING,
    encode: (type, timestamp, ...bodyParts) =>
      encodeMessage({ chunkStreamId: CHUNK_STREAMS[type], type, timestamp, messageStreamId }, chunkSize, ...bodyParts),
  };
}
