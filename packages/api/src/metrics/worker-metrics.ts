import type { ClusterWorker } from '@sluice/core';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What is told of a worker process. */
export interface WorkerFigures extends ClusterWorker {
  readonly connections: number;
  /** CPU time since it began. */
  readonly cpuSeconds: number;
}

/** The processes that serve viewers. */
export function addWorkerMetrics(registry: Registry, workers: () => readonly WorkerFigures[]): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_workers',
    help: 'Worker processes by state.',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      for (const { state } of workers()) this.inc({ state });
    },
  });
  new Counter({
    name: 'sluice_worker_restarts_total',
    help: 'How often a worker process was begun again because it had gone.',
    labelNames: ['worker'],
    registers,
    collect() {
      this.reset();
      for (const { id, restarts } of workers()) this.inc({ worker: String(id) }, restarts);
    },
  });
  const perWorker = (name: string, help: string, value: (worker: WorkerFigures) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['worker'],
      registers,
      collect() {
        this.reset();
        for (const worker of workers()) this.set({ worker: String(worker.id) }, value(worker));
      },
    });
  };
  perWorker('sluice_worker_sessions', 'Sessions that a worker process serves.', ({ sessions }) => sessions);
  perWorker('sluice_worker_connections', 'Connections that a worker process has.', ({ connections }) => connections);
  perWorker('sluice_worker_cpu_seconds', 'CPU time of a worker process since it began.', (worker) => worker.cpuSeconds);
  perWorker('sluice_worker_memory_bytes', 'Resident memory of a worker process.', ({ memoryBytes }) => memoryBytes);
}
