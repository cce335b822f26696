import { monotonicMs } from '../clock.js';

/** Nine hours at 30 frames per second. */
const MAX_FRAMES = 1 << 20;

/** What publisher, load workers and the main thread see at once. */
export interface SharedBuffers {
  readonly sentAt: SharedArrayBuffer;
  readonly window: SharedArrayBuffer;
  readonly received: SharedArrayBuffer;
}

/** Views of the shared memory. Each place is written by one thread only. */
export interface Shared {
  /** When each marked frame was handed to the publisher's socket, by sequence number; monotonic ms. */
  readonly sentAt: Float64Array;
  /** Frames sent from the first to before the second instant are measured. */
  readonly window: Float64Array;
  /** Bytes received, by worker. */
  readonly received: Float64Array;
}

export function createSharedBuffers(workers: number): SharedBuffers {
  const sentAt = new SharedArrayBuffer(MAX_FRAMES * Float64Array.BYTES_PER_ELEMENT);
  const window = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);
  const received = new SharedArrayBuffer(workers * Float64Array.BYTES_PER_ELEMENT);
  new Float64Array(window).fill(Number.POSITIVE_INFINITY);
  return { sentAt, window, received };
}

export function viewShared({ sentAt, window, received }: SharedBuffers): Shared {
  return {
    sentAt: new Float64Array(sentAt),
    window: new Float64Array(window),
    received: new Float64Array(received),
  };
}

/** Notes when a frame leaves; frames past the table's end go unmeasured. */
export function stampSent(shared: Shared, sequence: number): void {
  if (sequence < MAX_FRAMES) shared.sentAt[sequence] = monotonicMs();
}

export function totalReceived(shared: Shared): number {
  return shared.received.reduce((sum, bytes) => sum + bytes, 0);
}
