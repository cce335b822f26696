import type { CorePlan } from '../cores.js';

export type Protocol = 'flv' | 'rtmp';
export const PROTOCOLS: readonly Protocol[] = ['flv', 'rtmp'];

/** A server that can be measured. */
export interface Target {
  readonly name: string;
  /** Why it can't be measured here, or with this protocol. */
  unavailable(protocol: Protocol): string | undefined;
  start(plan: CorePlan): Promise<RunningTarget>;
}

export interface RunningTarget {
  readonly version: string;
  readonly pid: number;
  readonly publishUrl: string;
  playUrl(protocol: Protocol): string;
  stop(): Promise<void>;
}

export const STREAM = 'live/bench';
