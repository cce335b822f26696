import { workerData } from 'node:worker_threads';
import { SyncRound } from './sync-round.js';
import { type SyncThreadData, syncWith } from './sync-threads.js';

const { shared, progress } = workerData as SyncThreadData;
new SyncRound(shared, syncWith(progress)).help();
