import type { Session, Traffic } from '@sluice/core';

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

/** What callbacks are about: they are asked before a session opens, and told when it is over. */
export type CallbackNews =
  | { readonly event: 'on_connect' | 'on_publish' | 'on_play'; readonly session: Session }
  | {
      readonly event: 'on_close' | 'on_unpublish' | 'on_stop';
      readonly session: Session;
      readonly reason: string;
      readonly traffic: Traffic;
    }
  | { readonly event: 'on_hls'; readonly session: Session; readonly segment: HlsSegmentNews };

export type CallbackEvent = CallbackNews['event'];
