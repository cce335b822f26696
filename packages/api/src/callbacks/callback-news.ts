import type { RecordedFile, Session, Traffic } from '@sluice/core';

/** A segment that HLS players can fetch now. */
export interface HlsSegmentNews {
  /** Seconds. */
  readonly duration: number;
  readonly sequence: number;
  /** Of the segment and of the playlist that lists it, as paths of this server. */
  readonly url: string;
  readonly playlistUrl: string;
  /** Where they are on the disk, and what that is relative to; empty where they are in memory only. */
  readonly file: string;
  readonly playlistFile: string;
  readonly cwd: string;
}

/** A recorded file that is whole. */
export interface RecordedFileNews {
  readonly recorded: RecordedFile;
  /** Where it is on the disk, and what that is relative to. */
  readonly file: string;
  readonly cwd: string;
}

/** What callbacks are about: they are asked before a session opens, and told when it is over. */
export type CallbackNews =
  | { readonly event: 'on_connect' | 'on_publish' | 'on_play'; readonly session: Session }
  | {
      readonly event: 'on_close' | 'on_unpublish' | 'on_stop';
      readonly session: Session;
      readonly reason: string;
      readonly traffic: Traffic;
    }
  | { readonly event: 'on_hls'; readonly session: Session; readonly segment: HlsSegmentNews }
  /** The publisher isn't known where a file is finished that an earlier run of the server left. */
  | { readonly event: 'on_dvr'; readonly session: Session | undefined; readonly recording: RecordedFileNews };

export type CallbackEvent = CallbackNews['event'];
