import { ArrivalLog } from '../../receive/arrival-log.js';
import { BandwidthEstimate } from '../bandwidth-estimate.js';
import { FrameBudget } from '../frame-budget.js';

export interface BottleneckOptions {
  /** Bit/s, at a time in ms. */
  readonly rate: (now: number) => number;
  /** What is behind a longer queue gets lost. */
  readonly queueMs?: number;
  /** Share of packets that gets lost whatever the queue is. */
  readonly loss?: number;
  /** Whether what is sent now gets lost for certain. */
  readonly loses?: (now: number) => boolean;
  /** Nothing gets through before that. */
  readonly heldUntil?: (now: number) => number;
  /** Milliseconds one way, and how much more it may be. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
}

/** A live stream, as an encoder sends it. */
export interface StreamOptions {
  /** Bit/s of the picture. */
  readonly bitrate: number;
  readonly framesPerSecond?: number;
  readonly keyframeEvery?: number;
  /** As many times as large as another one. */
  readonly keyframeWeight?: number;
  /** Whether each second picture is one that no other depends on. */
  readonly hasDisposable?: boolean;
}

/** What happened in a second. */
export interface Second {
  sent: number;
  dropped: number;
  droppedDisposable: number;
  /** Of packets that came: the longest and the mean time in the queue. */
  queueMs: number;
  meanQueueMs: number;
  estimate: number;
}

const PACKET = 1200;
const SOUND_MS = 20;
const SOUND_BYTES = 120;

/** Sends a stream through a line with a bottleneck, in virtual time; the receiver sends feedback the same way back. */
export function simulate(line: BottleneckOptions, stream: StreamOptions, seconds: number): Second[] {
  const { queueMs = 1000, loss = 0, delayMs = 20, jitterMs = 0 } = line;
  const { bitrate, framesPerSecond = 30, keyframeEvery = 60, keyframeWeight = 6, hasDisposable = false } = stream;
  const random = randomOf(7);
  const [estimate, budget, log] = [new BandwidthEstimate(), new FrameBudget(), new ArrivalLog()];
  const all: Second[] = [];
  const underWay: { readonly at: number; readonly act: (now: number) => void }[] = [];
  const frameBytes = (bitrate / 8 / framesPerSecond) * (keyframeEvery / (keyframeEvery - 1 + keyframeWeight));
  let [freeAt, frames, counted] = [0, 0, 0];

  const send = (bytes: number, now: number, second: Second): void => {
    const number = estimate.sent(bytes, now);
    const queue = Math.max(0, freeAt - now);
    if (queue > queueMs || random() < loss || line.loses?.(now) === true) return;
    freeAt = Math.max(freeAt, now, line.heldUntil?.(now) ?? now) + (bytes * 8000) / line.rate(now);
    second.queueMs = Math.max(second.queueMs, queue);
    counted += 1;
    second.meanQueueMs += (queue - second.meanQueueMs) / counted;
    underWay.push({ at: freeAt + delayMs + random() * jitterMs, act: (at) => log.arrived(number, at) });
  };
  const sendPicture = (now: number, second: Second): void => {
    const keyframe = frames % keyframeEvery === 0;
    const bytes = Math.round(frameBytes * (keyframe ? keyframeWeight : 0.8 + 0.4 * random()));
    const disposable = hasDisposable && !keyframe && frames % 2 === 1;
    frames += 1;
    if (budget.accept({ bytes, keyframe, disposable }, estimate.lineState(now), now)) {
      second.sent += 1;
      for (let left = bytes; left > 0; left -= PACKET) send(Math.min(PACKET, left), now, second);
    } else if (disposable) second.droppedDisposable += 1;
    else second.dropped += 1;
  };

  for (let now = 0; now < seconds * 1000; now++) {
    if (now % 1000 === 0) {
      all.push({ ...EMPTY });
      counted = 0;
    }
    const second = all.at(-1) ?? { ...EMPTY };
    if (now * framesPerSecond >= frames * 1000) sendPicture(now, second);
    if (now % SOUND_MS === 0) send(SOUND_BYTES, now, second);
    underWay.sort((a, b) => a.at - b.at);
    while (underWay[0] !== undefined && underWay[0].at <= now) underWay.shift()?.act(now);
    if (now % 20 === 0 && log.isDue(now)) {
      for (const feedback of log.take(now)) {
        underWay.push({ at: now + delayMs, act: (at) => estimate.feedback(feedback, at) });
      }
    }
    second.estimate = estimate.estimate;
  }
  return all;
}

const EMPTY: Second = { sent: 0, dropped: 0, droppedDisposable: 0, queueMs: 0, meanQueueMs: 0, estimate: 0 };

/** The same each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
