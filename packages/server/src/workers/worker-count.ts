import { availableParallelism } from 'node:os';
import type { Config } from '@sluice/core';

/** How many workers a configuration means on this machine. */
export function workersOf({ workers }: Config): number {
  return workers === 'auto' ? availableParallelism() - 1 : workers;
}

/** The port on which a worker speaks WebRTC: those behind the main process's. 0 takes a free one. */
export function webRtcPortOf({ webrtc }: Config, worker: number): number {
  return webrtc.port === 0 ? 0 : webrtc.port + worker;
}
