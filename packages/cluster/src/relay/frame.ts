import type { StreamDescription } from '@sluice/core';
import type { Millis, Sample, TimedMetadata } from '@sluice/media';

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
