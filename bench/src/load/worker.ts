import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../clock.js';
import { Histogram } from '../histogram.js';
import type { AnswerTo, WorkerFindings, WorkerRequest, WorkerSetup } from './messages.js';
import { viewShared } from './shared.js';
import { Viewer, type ViewerContext } from './viewer.js';

/** One read takes at most this; more than a keyframe, and than a socket's receive window most of the time. */
const READ_BYTES = 256 * 1024;
/** Viewers that wait to be let in; the next come when a slow server has caught up. */
const MAX_WAITING = 32;
const ACCEPT_TIMEOUT_MS = 15_000;
const KEYFRAME_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const LAG_RESOLUTION_MS = 10;
const NANOS_PER_MILLI = 1e6;

const setup = workerData as WorkerSetup;
const context: ViewerContext = {
  url: setup.url,
  index: setup.index,
  shared: viewShared(setup.shared),
  latencies: new Histogram(),
  readBuffer: Buffer.allocUnsafeSlow(READ_BYTES),
};
const viewers: Viewer[] = [];
const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
let busySince: EventLoopUtilization | undefined;

async function attach(count: number, intervalMs: number): Promise<AnswerTo<'attach'>> {
  const begun = monotonicMs();
  for (let opened = 0; opened < count; ) {
    const due = Math.min(count, 1 + Math.floor((monotonicMs() - begun) / intervalMs));
    const room = MAX_WAITING - viewers.filter(isPending).length;
    for (const end = Math.min(due, opened + room); opened < end; opened++) viewers.push(new Viewer(context));
    await sleep(1);
  }
  while (viewers.some(isPending)) await sleep(POLL_MS);
  const failed = viewers.filter((viewer) => !isPlaying(viewer));
  return { kind: 'attach', accepted: viewers.length - failed.length, failed: failed.length, ...reasonOf(failed) };
}

function isPending(viewer: Viewer): boolean {
  const { accepted, failure, startedAt } = viewer;
  return !accepted && failure === undefined && monotonicMs() - startedAt < ACCEPT_TIMEOUT_MS;
}

function isPlaying(viewer: Viewer): boolean {
  return viewer.accepted && viewer.failure === undefined;
}

function observe(): AnswerTo<'observe'> {
  busySince = performance.eventLoopUtilization();
  lag.enable();
  lag.reset();
  return { kind: 'observe' };
}

function observed(): AnswerTo<'observed'> {
  const { utilization } = performance.eventLoopUtilization(busySince);
  const lagP99Ms = Math.max(0, lag.percentile(99) / NANOS_PER_MILLI - LAG_RESOLUTION_MS);
  lag.disable();
  return { kind: 'observed', utilization, lagP99Ms };
}

function finish(): AnswerTo<'finish'> {
  const lost = viewers.filter((viewer) => viewer.failure !== undefined);
  const reason = reasonOf(lost).reason;
  const findings: WorkerFindings = {
    latencies: { counts: context.latencies.counts, max: context.latencies.max },
    frames: Uint32Array.from(viewers, (viewer) => viewer.meter.frames),
    gaps: viewers.reduce((sum, viewer) => sum + viewer.meter.gaps, 0),
    lost: lost.length,
    ...(reason === undefined ? {} : { lostReason: reason }),
    firstKeyframeMs: viewers.flatMap(keyframeDelay),
  };
  for (const viewer of viewers) viewer.close();
  return { kind: 'finish', ...findings };
}

function keyframeDelay({ meter, startedAt }: Viewer): number[] {
  return meter.firstKeyframeAt === 0 ? [] : [meter.firstKeyframeAt - startedAt];
}

async function join(trials: number, seconds: number): Promise<AnswerTo<'join'>> {
  const guests = await Promise.all(Array.from({ length: trials }, () => joinOnce(Math.random() * seconds * 1000)));
  const firstKeyframeMs = guests.flatMap(keyframeDelay);
  const failed = guests.filter((guest) => guest.meter.firstKeyframeAt === 0);
  return { kind: 'join', firstKeyframeMs, failed: failed.length, ...reasonOf(failed) };
}

async function joinOnce(delayMs: number): Promise<Viewer> {
  await sleep(delayMs);
  const guest = new Viewer(context);
  const deadline = guest.startedAt + KEYFRAME_TIMEOUT_MS;
  while (guest.meter.firstKeyframeAt === 0 && guest.failure === undefined && monotonicMs() < deadline) await sleep(1);
  if (guest.failure === undefined) guest.close();
  return guest;
}

function reasonOf(failed: readonly Viewer[]): { reason?: string } {
  const [first] = failed;
  return first === undefined ? {} : { reason: first.failure ?? 'the server did not answer in time' };
}

function answer(request: WorkerRequest) {
  switch (request.kind) {
    case 'attach':
      return attach(request.viewers, request.intervalMs);
    case 'observe':
      return observe();
    case 'observed':
      return observed();
    case 'finish':
      return finish();
    case 'join':
      return join(request.trials, request.seconds);
  }
}

parentPort?.on('message', async (request: WorkerRequest) => parentPort?.postMessage(await answer(request)));
