import type { StreamStatus } from './status-client.js';

/** What the player is doing. */
export type PlayerState =
  /** Nothing is known yet, or a first picture is on its way. */
  | 'connecting'
  /** The stream isn't live. */
  | 'offline'
  /** The encoder is gone; the server waits for it. */
  | 'waiting'
  | 'playing'
  | 'buffering'
  | 'paused'
  /** This browser can't play the stream's codecs over the protocol. */
  | 'unsupported'
  /** The server doesn't let this viewer in. */
  | 'refused'
  /** The server doesn't answer. */
  | 'unreachable';

/** How long an engine may show nothing before it is taken for broken, in milliseconds. */
export interface Patience {
  readonly firstPicture: number;
  readonly nextPicture: number;
}

/** How the picture stands, while there is an engine. */
export interface Situation {
  readonly status: StreamStatus['state'] | undefined;
  readonly paused: boolean;
  /** For how long, in milliseconds. */
  readonly pausedFor: number;
  readonly moving: boolean;
  /** Since the picture moved, the engine started, or the encoder came back; in milliseconds. */
  readonly stillFor: number;
  /** Whether this engine has shown anything. */
  readonly hasMoved: boolean;
  readonly patience: Patience;
}

export interface Verdict {
  readonly state: PlayerState;
  /**
   * `restart`: this picture isn't going to move again by itself. `unload`: nobody watches, so nothing need come.
   * `ask`: see what the server says.
   */
  readonly act?: 'restart' | 'unload' | 'ask';
}

/** A picture that stands for less than this is between two looks at it. */
const BETWEEN_LOOKS_MS = 600;
/** Who pauses for longer comes back to the live picture, not to the old one. */
const UNLOAD_AFTER_MS = 20_000;

/** Says what the player is doing and what is to be done. */
export function judge(situation: Situation): Verdict {
  const { status, paused, moving, stillFor, hasMoved, patience } = situation;
  if (paused) return situation.pausedFor > UNLOAD_AFTER_MS ? { state: 'paused', act: 'unload' } : { state: 'paused' };
  if (moving || (hasMoved && stillFor < BETWEEN_LOOKS_MS)) return { state: 'playing' };
  if (status === 'waiting') return { state: 'waiting' };
  const state = hasMoved ? 'buffering' : 'connecting';
  const tooLong = stillFor > (hasMoved ? patience.nextPicture : patience.firstPicture);
  if (tooLong && status === 'live') return { state, act: 'restart' };
  return hasMoved ? { state, act: 'ask' } : { state };
}
