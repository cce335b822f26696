import type { Millis } from '@sluice/media';
import type { StreamPath } from '../stream-path.js';

export type SessionAction = 'publish' | 'play';
export type SessionProtocol = 'rtmp' | 'rtmps' | 'http-flv' | 'ws-flv' | 'hls' | 'file';

/** One granted act of one peer: a publish or a play, on whatever protocol. */
export interface Session {
  readonly id: string;
  readonly action: SessionAction;
  readonly protocol: SessionProtocol;
  readonly path: StreamPath;
  /** The peer's address, without a port. */
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** Wall clock, ms since 1970. */
  readonly openedAt: Millis;
}
