import { performance } from 'node:perf_hooks';

const NANOS_PER_MILLI = 1e6;

/** `performance.now()` begins at another instant in each thread; `hrtime` is one clock for all of them. */
const origin = Number(process.hrtime.bigint()) / NANOS_PER_MILLI - performance.now();

/** Milliseconds of the machine's monotonic clock, the same in every thread and process. */
export function monotonicMs(): number {
  return origin + performance.now();
}
