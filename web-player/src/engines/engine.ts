import type { Patience } from '../playback-state.js';
import type { ServerClock } from '../server-clock.js';
import type { TrackStatus } from '../status-client.js';

/** A picture size to choose. */
export interface Quality {
  readonly name: string;
}

export interface EngineFailure {
  readonly reason: string;
  /** Where the server refused, with what. */
  readonly httpStatus?: number | undefined;
  /** The server ended the stream in good order. */
  readonly ended?: boolean;
}

export interface EngineEvents {
  /** Playing on is not possible; the page tries anew. */
  readonly failed: (failure: EngineFailure) => void;
  /** The choices (qualities, tracks) are known, or changed. */
  readonly choicesChanged: () => void;
}

/** What latency is counted from: the wall clock of the stream, the end of what has come, or what the network says. */
export type LatencyBasis = 'clock' | 'buffered-edge' | 'network';

/** What an engine measures; what it doesn't is left out. */
export interface EngineFigures {
  readonly bitsPerSecond?: number | undefined;
  readonly roundTripSeconds?: number | undefined;
  readonly packetsLost?: number | undefined;
}

/** What can be sought, in media time. */
export interface SeekRange {
  readonly start: number;
  /** The newest that plays on without a stall. */
  readonly end: number;
}

/** The past of a stream, where it can be had. */
export interface TimeShift {
  /** Undefined while it isn't known. */
  range(): SeekRange | undefined;
  /** When a picture was live, ms since 1970; undefined where the stream doesn't tell. */
  dateAt(time: number): number | undefined;
  /** Whether to leave the viewer in the past, rather than to go after the live edge. */
  stayBehind(on: boolean): void;
}

/** One way to get a stream into a video element. */
export interface Engine {
  readonly latencyBasis: LatencyBasis;
  /** A number that changes while the picture moves, where the media time doesn't tell. */
  progress?(): number;
  /** Seconds behind; undefined while it isn't known. */
  latency(): number | undefined;
  /** The media time to go to for the newest picture that plays on without a stall; undefined while there is none. */
  livePosition(): number | undefined;
  /** Undefined where there is only the present. */
  readonly timeShift?: TimeShift;
  /** Whether it stays near the live edge by itself. */
  readonly followsEdge: boolean;
  readonly patience: Patience;
  readonly qualities: readonly Quality[];
  /** Index of the chosen quality; -1 lets the engine choose. */
  chooseQuality(index: number): void;
  /** The one that is shown, where the engine chooses. */
  readonly playingQuality?: number;
  /** Sound to choose from, by its names; undefined where there is no choice. */
  readonly audioTracks?: readonly string[];
  readonly audioTrack?: number;
  chooseAudioTrack?(index: number): void;
  figures?(): EngineFigures;
  /** Lets go of the video element. */
  destroy(): void;
}

/** What every engine is made from. */
export interface EngineSource {
  readonly video: HTMLVideoElement;
  readonly url: string;
  readonly tracks: readonly TrackStatus[];
  /** Fetch parts of segments while they are made, where the stream has them. */
  readonly lowLatency: boolean;
  readonly clock: ServerClock;
  readonly events: EngineEvents;
}
