import type { FlvCodec } from './codec-ids.js';

/** What the body of an audio or video tag says, of one track. */
export type FlvPacket =
  | {
      readonly type: 'config';
      readonly codec: FlvCodec;
      /** Number of the track among those of its kind; 0 is the main one. */
      readonly trackNumber: number;
      readonly description: Buffer;
    }
  | {
      readonly type: 'frame';
      readonly codec: FlvCodec;
      readonly trackNumber: number;
      readonly keyframe: boolean;
      /** pts - dts, milliseconds. */
      readonly compositionTime: number;
      /** What the timestamp lacks below a millisecond, Enhanced RTMP's ModEx. */
      readonly nanoseconds: number;
      readonly data: Buffer;
    }
  | { readonly type: 'end'; readonly trackNumber: number };
