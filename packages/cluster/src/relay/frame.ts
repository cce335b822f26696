import type { StreamDescription } from '@sluice/core';
import type { MediaEvent, Millis, Sample, TimedMetadata } from '@sluice/media';

/** What one process tells another of a stream, in the order in which it happened. */
export type RelayFrame =
  /** All tracks, from the next sample on. */
  | { readonly type: 'description'; readonly description: StreamDescription }
  | { readonly type: 'sample'; readonly sample: Sample }
  | TimedMetadata
  /** Wall time of dts 0, where samples come from: the same everywhere. Told first, and whenever it is set anew. */
  | { readonly type: 'wall-origin'; readonly at: Millis }
  /** An encoder came back or took over. */
  | { readonly type: 'discontinuity' }
  | { readonly type: 'end'; readonly reason: string };

/**
 * All that goes over the line between two processes: what is told of streams, what a publisher says that has come in at
 * the other end, and messages of whatever else there is to say.
 */
export type WireFrame = RelayFrame | MediaEvent | { readonly type: 'message'; readonly data: Buffer };

/** A frame, and whose it is. The process that made the stream known numbers it, from 1 on; 0 is the line itself. */
export interface NumberedFrame {
  readonly stream: number;
  readonly frame: WireFrame;
}
