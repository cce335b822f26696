import type { SharedBuffers } from './shared.js';

/** What a worker is told at its birth. */
export interface WorkerSetup {
  readonly url: string;
  readonly index: number;
  readonly shared: SharedBuffers;
}

/** What the main thread asks of a worker; each is answered once. */
export type WorkerRequest =
  /** Connects viewers, one each `intervalMs`, and answers when all are accepted or have failed. */
  | { readonly kind: 'attach'; readonly viewers: number; readonly intervalMs: number }
  /** Begins to look at how busy the worker is. */
  | { readonly kind: 'observe' }
  /** How busy it was since. */
  | { readonly kind: 'observed' }
  /** What the viewers have seen, and how busy the worker was. Closes them. */
  | { readonly kind: 'finish' }
  /** Lets single viewers join at random moments of the next `seconds`, and leave with their first keyframe. */
  | { readonly kind: 'join'; readonly trials: number; readonly seconds: number };

export type WorkerAnswer =
  | { readonly kind: 'attach'; readonly accepted: number; readonly failed: number; readonly reason?: string }
  | { readonly kind: 'observe' }
  | ({ readonly kind: 'observed' } & WorkerBusy)
  | ({ readonly kind: 'finish' } & WorkerFindings)
  | {
      readonly kind: 'join';
      readonly firstKeyframeMs: readonly number[];
      readonly failed: number;
      readonly reason?: string;
    };

export type RequestOf<K extends WorkerRequest['kind']> = Extract<WorkerRequest, { kind: K }>;
export type AnswerTo<K extends WorkerRequest['kind']> = Extract<WorkerAnswer, { kind: K }>;

/** How busy a worker's event loop was. */
export interface WorkerBusy {
  /** 0 to 1. */
  readonly utilization: number;
  readonly lagP99Ms: number;
}

export interface WorkerFindings {
  /** µs, in the buckets of a Histogram. */
  readonly latencies: { readonly counts: Uint32Array; readonly max: number };
  /** Frames of the window, by viewer. */
  readonly frames: Uint32Array;
  readonly gaps: number;
  /** Viewers whose connection ended. */
  readonly lost: number;
  readonly lostReason?: string;
  /** From the start of connecting to the first whole keyframe, by viewer that got one. */
  readonly firstKeyframeMs: readonly number[];
}
