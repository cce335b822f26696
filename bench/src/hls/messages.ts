import type { ViewerKind } from './viewer.js';

/** What a worker is told at its birth. */
export interface WorkerSetup {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly kind: ViewerKind;
  readonly index: number;
}

/** Each is answered once: `attach` when all play, the others at once. Only `finish` is told of single arrivals. */
export type WorkerRequest =
  | { readonly kind: 'attach'; readonly viewers: number; readonly intervalMs: number }
  | { readonly kind: 'observe' }
  | { readonly kind: 'look' }
  | { readonly kind: 'finish' };

export interface WorkerAnswer {
  readonly viewers: number;
  /** Viewers that are over, and why. */
  readonly failed: number;
  readonly reason: string | undefined;
  readonly missed: number;
  readonly bytes: number;
  /** Playlists, segments and parts that came. */
  readonly answers: number;
  /** Arrivals since `observe`, in threes: segment, part, when. */
  readonly pieces: readonly number[];
  /** Arrivals of playlists: what they hint at, and when. */
  readonly playlists: readonly number[];
}
