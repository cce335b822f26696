import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '@sluice/core';
import { diagnose } from './diagnose.js';

// The checks read files and look through all processes without waiting: not on the thread that streams are on.
const { config } = workerData as { readonly config: Config };
const findings = await diagnose({
  config,
  environment: process.env,
  wallClock: () => new Date(),
  isSelf: (pid) => pid === process.pid,
});
parentPort?.postMessage(findings);
