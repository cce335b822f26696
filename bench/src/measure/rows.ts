import { Histogram } from '../histogram.js';
import type { Protocol } from '../targets/target.js';

const MICROS_PER_MILLI = 1000;

interface RowHead {
  readonly target: string;
  readonly version: string;
  readonly protocol: Protocol;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Many viewers of one stream. */
export interface FanOutRow extends RowHead {
  readonly viewers: number;
  readonly seconds: number;
  readonly gigabytes: number;
  readonly gigabitsPerSecond: number;
  readonly framesSent: number;
  readonly framesPerViewer: number;
  readonly fewestFrames: number;
  /** Frames that were there half a second after the end, of those sent, over all viewers: 0 to 1. */
  readonly delivered: number;
  /** Viewers that lack more than two seconds of frames. */
  readonly stalled: number;
  /** Viewers whose connection ended. */
  readonly lost: number;
  readonly gaps: number;
  /** Per video frame, from the publisher's socket to the viewer's. */
  readonly latencyMs: Percentiles;
  /** While the viewers joined, a thousand a second. */
  readonly firstKeyframeMs: Percentiles;
  readonly server: {
    /** Of one core: 1 is all of it. */
    readonly cpu: number;
    readonly cpuSecondsPerGb: number;
    readonly residentMaxMib: number;
  };
  readonly load: {
    /** Of the cores that the load has. */
    readonly cpu: number;
    /** The busiest worker's event loop: 0 to 1. */
    readonly utilization: number;
    readonly lagP99Ms: number;
    /** The publisher's worst delay. */
    readonly publisherLateMs: number;
  };
  /** Cores busy with neither server nor load, and stolen from the machine: of one core. */
  readonly foreignCpu: number;
}

/** Many viewers of a stream that is all but silent. */
export interface IdleRow extends RowHead {
  readonly viewers: number;
  readonly residentBeforeMib: number;
  readonly residentAfterMib: number;
  readonly kibPerViewer: number;
}

/** Single viewers that join at random moments. */
export interface JoinRow extends RowHead {
  readonly trials: number;
  readonly failed: number;
  readonly reason?: string;
  /** Viewers that were there all the time. */
  readonly background: number;
  readonly firstKeyframeMs: Percentiles;
}

export interface SkippedRow {
  readonly target: string;
  readonly protocol: Protocol;
  readonly what: string;
  readonly reason: string;
}

/** @param histogram of µs */
export function percentilesOf(histogram: Histogram): Percentiles {
  return {
    p50: histogram.percentile(0.5) / MICROS_PER_MILLI,
    p99: histogram.percentile(0.99) / MICROS_PER_MILLI,
    max: histogram.max / MICROS_PER_MILLI,
  };
}

export function percentilesOfMs(values: readonly number[]): Percentiles {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value * MICROS_PER_MILLI);
  return percentilesOf(histogram);
}

/** Above this, readers come late to their sockets: that adds latency, and spares the server work in the kernel. */
const BUSY = 0.8;
const LAGGING_MS = 20;

/** Whether the load generator was at its limit, so that figures may be its own and not the server's. */
export function isLoadBound({ load }: FanOutRow): boolean {
  return load.cpu >= BUSY || load.utilization >= BUSY || load.lagP99Ms >= LAGGING_MS;
}
