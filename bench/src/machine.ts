import { cpus, release, totalmem, type } from 'node:os';
import type { CorePlan } from './cores.js';

/** Where figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly serverCores: readonly number[];
  readonly loadCores: readonly number[];
  readonly caution?: string;
}

export function describeMachine(plan: CorePlan): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    serverCores: plan.server,
    loadCores: plan.load,
    ...(plan.caution === undefined ? {} : { caution: plan.caution }),
  };
}
