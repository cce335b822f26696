import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../clock.js';
import type { CorePlan } from '../cores.js';
import { Histogram } from '../histogram.js';
import { createSharedBuffers, viewShared } from '../load/shared.js';
import { usageOf, waitedForCoreSeconds } from '../proc-stat.js';
import { publish } from '../publisher.js';
import { readClip } from '../source-clip.js';
import { STREAM } from '../targets/target.js';
import { beginWatch, endWatch } from '../webrtc/server-watch.js';
import { startSluice } from '../webrtc/servers.js';
import type { WorkerAnswer, WorkerRequest, WorkerSetup } from './messages.js';
import { type PartMark, PROBE_ARGS, takeProbe } from './probe.js';
import type { ViewerKind } from './viewer.js';

export interface HlsFanOutOptions {
  readonly plan: CorePlan;
  /** Its file. */
  readonly clip: string;
  readonly viewers: number;
  readonly seconds: number;
  /** Where a CPU profile of what is watched goes. */
  readonly profile: string | undefined;
}

export interface HlsFanOutRow {
  readonly mbpsEach: number;
  /** CPU time of the server for each playlist, segment or part. */
  readonly microsPerAnswer: number;
  /** Of one core. */
  readonly cpu: number;
  /** How long the server waited for its core, as a share of the time. */
  readonly waited: number;
  readonly loadCpu: number;
  readonly residentMib: number;
  /** Ms, in µs: from a part's being there to its last byte at a viewer. Nothing for plain HLS. */
  readonly partLate: Histogram;
  /** The same for the playlist that lists it. */
  readonly playlistLate: Histogram;
  readonly parts: number;
  readonly renderings: number;
  /** Parts that viewers should have had and had not by the end. */
  readonly missing: number;
  /** Parts that came later than PART-HOLD-BACK: a player would have stopped. */
  readonly tooLate: number;
  readonly missed: number;
  readonly failed: number;
  readonly reason: string | undefined;
  /** CPU time of one turn of the server's event loop, at most. */
  readonly mostTurnMs: number;
}

const LEAD_MS = 5000;
const JOIN_INTERVAL_MS = 3;
const WARM_UP_MS = 3000;
const GRACE_MS = 1000;
/** Of the server's default parts, 0.2 s. */
const HOLD_BACK_MS = 600;

/** A fresh server, one stream, and so many viewers of it by HLS. */
export async function measureHls(kind: ViewerKind, options: HlsFanOutOptions): Promise<HlsFanOutRow> {
  const { plan, clip, viewers, seconds, profile } = options;
  const server = await startSluice({
    plan,
    profile,
    preload: PROBE_ARGS,
    environment: {
      SLUICE_WEBRTC_ENABLED: 'false',
      SLUICE_HLS_ALWAYS: 'true',
      SLUICE_HLS_LOW_LATENCY: String(kind === 'low-latency'),
    },
  });
  const shared = viewShared(createSharedBuffers(1));
  const publishing = await publish(`${server.rtmp}/${STREAM}`, await readClip(clip), shared);
  const { hostname: host, port } = new URL(server.http);
  const workers = plan.load.map((_, index) => {
    const setup: WorkerSetup = { host, port: Number(port), path: STREAM, kind, index };
    return new Worker(new URL('./worker.js', import.meta.url), { workerData: setup });
  });
  const all = (request: WorkerRequest) => Promise.all(workers.map((worker) => ask(worker, request)));
  try {
    await sleep(LEAD_MS);
    const share = Math.ceil(viewers / workers.length);
    await all({ kind: 'attach', viewers: share, intervalMs: JOIN_INTERVAL_MS * workers.length });
    await sleep(WARM_UP_MS);
    const look = () => ({
      at: monotonicMs(),
      cpu: usageOf([server.pid]).cpuSeconds,
      waited: waitedForCoreSeconds(server.pid),
      own: process.cpuUsage(),
    });
    await all({ kind: 'observe' });
    beginWatch(server.pid);
    const before = look();
    await sleep(seconds * 1000);
    const after = look();
    const inTime = await all({ kind: 'look' });
    const residentMib = usageOf([server.pid]).residentMib;
    const watched = await endWatch(server.pid, server.folder);
    const { parts, renderings } = await takeProbe(server.folder);
    await sleep(GRACE_MS);
    const received = await all({ kind: 'finish' });
    if (publishing.failure !== undefined) throw new Error(`the publisher was cut off: ${publishing.failure}`);
    const elapsed = (after.at - before.at) / 1000;
    const spent = after.own.user + after.own.system - before.own.user - before.own.system;
    const sum = (of: (answer: WorkerAnswer) => number) => received.reduce((total, answer) => total + of(answer), 0);
    const pieces = lateness(
      parts,
      received.map((answer) => answer.pieces),
      0,
    );
    const playlists = lateness(
      parts,
      received.map((answer) => answer.playlists),
      1,
    );
    const attached = sum((answer) => answer.viewers - answer.failed);
    return {
      mbpsEach: (inTime.reduce((total, { bytes }) => total + bytes, 0) * 8) / elapsed / attached / 1e6,
      microsPerAnswer: ((after.cpu - before.cpu) / inTime.reduce((total, { answers }) => total + answers, 0)) * 1e6,
      cpu: (after.cpu - before.cpu) / elapsed,
      waited: (after.waited - before.waited) / elapsed,
      loadCpu: spent / 1e6 / elapsed,
      residentMib,
      partLate: pieces.late,
      playlistLate: playlists.late,
      parts: parts.length,
      renderings,
      missing: kind === 'plain' ? 0 : parts.length * attached - pieces.late.count,
      tooLate: pieces.tooLate,
      missed: sum(({ missed }) => missed),
      failed: sum(({ failed }) => failed),
      reason: received.find(({ reason }) => reason !== undefined)?.reason,
      mostTurnMs: watched.mostCpuMs,
    };
  } finally {
    await publishing.close();
    await Promise.all(workers.map((worker) => worker.terminate()));
    await server.stop();
  }
}

async function ask(worker: Worker, request: WorkerRequest): Promise<WorkerAnswer> {
  worker.postMessage(request);
  const [answer] = (await once(worker, 'message')) as [WorkerAnswer];
  return answer;
}

/** @param back how many parts an arrival's numbers are ahead of the part that it brought */
function lateness(parts: readonly PartMark[], arrivals: readonly (readonly number[])[], back: number) {
  const late = new Histogram();
  let tooLate = 0;
  const key = (segment: number, part: number) => segment * 1000 + part;
  const thereAt = new Map<number, number>();
  for (const [at, [segment, part]] of parts.entries()) {
    const brought = parts[at - back];
    if (brought !== undefined) thereAt.set(key(segment, part), brought[2]);
  }
  for (const list of arrivals) {
    for (let at = 0; at + 2 < list.length; at += 3) {
      const there = thereAt.get(key(list[at] ?? 0, list[at + 1] ?? 0));
      if (there === undefined) continue;
      const ms = (list[at + 2] ?? 0) - there;
      late.record(ms * 1000);
      if (ms > HOLD_BACK_MS) tooLate += 1;
    }
  }
  return { late, tooLate };
}
