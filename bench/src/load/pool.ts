import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Histogram } from '../histogram.js';
import type { AnswerTo, RequestOf, WorkerBusy, WorkerFindings, WorkerRequest, WorkerSetup } from './messages.js';
import { createSharedBuffers, type Shared, viewShared } from './shared.js';

/** Load workers, one per core that is left to them, and what they share with the publisher. */
export interface LoadPool {
  readonly shared: Shared;
  /** @throws when fewer than all viewers are accepted */
  attach(viewers: number, intervalMs: number): Promise<void>;
  observe(): Promise<void>;
  /** The busiest worker's figures. */
  observed(): Promise<WorkerBusy>;
  finish(): Promise<Findings>;
  join(trials: number, seconds: number): Promise<JoinFindings>;
  close(): Promise<void>;
}

export interface Findings extends Omit<WorkerFindings, 'latencies' | 'frames'> {
  readonly latencies: Histogram;
  readonly frames: readonly number[];
}

export interface JoinFindings {
  readonly firstKeyframeMs: readonly number[];
  readonly failed: number;
  readonly reason?: string;
}

/** @param url what the viewers play */
export function startPool(url: string, size: number): LoadPool {
  const buffers = createSharedBuffers(size);
  const workers = Array.from({ length: size }, (_, index) => {
    const setup: WorkerSetup = { url, index, shared: buffers };
    return new Worker(new URL('./worker.js', import.meta.url), { workerData: setup });
  });
  const all = <K extends WorkerRequest['kind']>(requestFor: (index: number) => RequestOf<K>) =>
    Promise.all(workers.map((worker, index) => ask<K>(worker, requestFor(index))));

  return {
    shared: viewShared(buffers),
    async attach(viewers, intervalMs) {
      const answers = await all<'attach'>((index) => ({
        kind: 'attach',
        viewers: shareOf(viewers, size, index),
        intervalMs: intervalMs * size,
      }));
      const failed = answers.reduce((sum, answer) => sum + answer.failed, 0);
      const reason = answers.find((answer) => answer.reason !== undefined)?.reason;
      if (failed > 0) throw new Error(`${failed} of ${viewers} viewers were not let in: ${reason}`);
    },
    async observe() {
      await all<'observe'>(() => ({ kind: 'observe' }));
    },
    async observed() {
      const answers = await all<'observed'>(() => ({ kind: 'observed' }));
      return {
        utilization: Math.max(...answers.map((answer) => answer.utilization)),
        lagP99Ms: Math.max(...answers.map((answer) => answer.lagP99Ms)),
      };
    },
    async finish() {
      return mergeFindings(await all<'finish'>(() => ({ kind: 'finish' })));
    },
    async join(trials, seconds) {
      const answers = await all<'join'>((index) => ({ kind: 'join', trials: shareOf(trials, size, index), seconds }));
      const reason = answers.find((answer) => answer.reason !== undefined)?.reason;
      return {
        firstKeyframeMs: answers.flatMap((answer) => answer.firstKeyframeMs),
        failed: answers.reduce((sum, answer) => sum + answer.failed, 0),
        ...(reason === undefined ? {} : { reason }),
      };
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

async function ask<K extends WorkerRequest['kind']>(worker: Worker, request: RequestOf<K>): Promise<AnswerTo<K>> {
  worker.postMessage(request);
  const [answer] = (await once(worker, 'message')) as [AnswerTo<K>];
  return answer;
}

function shareOf(total: number, size: number, index: number): number {
  return Math.floor(total / size) + (index < total % size ? 1 : 0);
}

function mergeFindings(all: readonly WorkerFindings[]): Findings {
  const latencies = new Histogram();
  for (const findings of all) latencies.merge(findings.latencies);
  const lostReason = all.find((findings) => findings.lostReason !== undefined)?.lostReason;
  return {
    latencies,
    frames: all.flatMap((findings) => [...findings.frames]),
    gaps: all.reduce((sum, findings) => sum + findings.gaps, 0),
    lost: all.reduce((sum, findings) => sum + findings.lost, 0),
    ...(lostReason === undefined ? {} : { lostReason }),
    firstKeyframeMs: all.flatMap((findings) => findings.firstKeyframeMs),
  };
}
