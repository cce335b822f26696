import { type Millis, millis } from '@sluice/media';

/** Where time comes from. Passed in, so that tests can hold it. */
export interface Clock {
  /** Never goes back; from an arbitrary origin. With fractions. */
  readonly monotonic: () => Millis;
  /** Milliseconds since 1970, UTC. */
  readonly wall: () => Millis;
}

export const systemClock: Clock = {
  monotonic: () => millis(performance.now()),
  wall: () => millis(Date.now()),
};
