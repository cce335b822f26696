import type { MediaEvent } from '../sample.js';
import type { TrackId } from '../track-config.js';

/** What a transport stream says, beside what every stream says. */
export type TsEvent =
  | MediaEvent
  | {
      readonly type: 'discontinuity';
      readonly pid: number;
      /** `loss`: packets of a track are missing. `clock`: the programme's clock was set anew. */
      readonly cause: 'loss' | 'clock';
      /** The track that lost packets. */
      readonly track?: TrackId;
    }
  /** A stream of the programme that is passed over, told once. */
  | { readonly type: 'unsupported-track'; readonly pid: number; readonly streamType: number; readonly reason: string };

/** Counts over the life of a demuxer. */
export interface TsStats {
  packets: number;
  /** Bytes that were no packets. Much of them and no packets: this is no transport stream. */
  skippedBytes: number;
  /** How often the sync byte was lost. */
  resyncs: number;
  /** Packets that a receiver before us marked as broken. */
  transportErrors: number;
  /** Gaps in a PID's continuity counter, ISO 13818-1 §2.4.3.3. */
  continuityErrors: number;
  duplicates: number;
  /** PSI sections with a wrong checksum, and cues and timed metadata that can't be read. */
  brokenSections: number;
  clockDiscontinuities: number;
  /** PES packets that could not be read as access units, wholly or in part. */
  brokenUnits: number;
}
