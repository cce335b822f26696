import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlvTag } from '@sluice/media';
import type { CorePlan } from '../cores.js';
import { waitedForCoreSeconds } from '../proc-stat.js';
import { beginWatch, endWatch, type WatchReport } from '../webrtc/server-watch.js';
import { startSluice } from '../webrtc/servers.js';
import { FLUSH_ARGS, type FlushReport, takeFlushReport } from './flush-delays.js';
import { MemoryLog } from './memory.js';
import { Publishers } from './publishers.js';
import { checkFiles, type FilesReport, finishedFiles } from './recorded-files.js';
import { lookAtThreads, type ThreadTimes, threadTimes } from './threads.js';

export interface ServerCostOptions {
  readonly plan: CorePlan;
  readonly clip: readonly FlvTag[];
  readonly streams: number;
  readonly seconds: number;
  /** What is recorded as; nothing is, where there is none. */
  readonly container: string | undefined;
  /** Where a CPU profile of the main thread goes. */
  readonly profile?: string | undefined;
}

export interface ServerCost {
  readonly watch: WatchReport;
  /** Shares of one core. */
  readonly threads: ThreadTimes;
  /** The share of the time in which the main thread could have gone on, but others had its core. */
  readonly waited: number;
  /** Resident, in MiB: means of each sixth of the time. */
  readonly memory: readonly number[];
  readonly mbpsEach: number;
  /** By how many ms a publisher was late, at most. */
  readonly lateMs: number;
  readonly loadCpu: number;
  readonly recorded: RecordedCost | undefined;
}

export interface RecordedCost extends FilesReport {
  readonly flush: FlushReport;
  /** From the end of the streams until all files were finished. */
  readonly finishSeconds: number;
  /** The event loop meanwhile. */
  readonly finishWatch: WatchReport | undefined;
}

/** Until all streams have been live for a while. */
const WARM_UP_MS = 6000;
/** That memory is looked at in, one after the other. */
const PARTS = 6;

/** What so many streams cost a fresh server, recorded or not. */
export async function measureServerCost(options: ServerCostOptions): Promise<ServerCost> {
  const { plan, clip, streams, seconds, container, profile } = options;
  const token = randomBytes(16).toString('hex');
  const environment = {
    SLUICE_API_TOKEN: token,
    SLUICE_PUBLISH_GRACE_SECONDS: '0',
    SLUICE_DATA_DIR: 'data',
    ...(container === undefined ? {} : { SLUICE_RECORDING_ENABLED: 'true', SLUICE_RECORDING_CONTAINER: container }),
  };
  const server = await startSluice({ plan, profile, preload: FLUSH_ARGS, environment });
  let publishers: Publishers | undefined;
  try {
    publishers = await Publishers.start(server.rtmp, clip, streams);
    await sleep(WARM_UP_MS);
    const look = () => ({
      at: performance.now(),
      threads: lookAtThreads(server.pid),
      waited: waitedForCoreSeconds(server.pid),
      bytes: publishers?.bytes ?? 0,
    });
    const memory = new MemoryLog(server.pid);
    beginWatch(server.pid);
    const [before, load] = [look(), process.cpuUsage()];
    await sleep(seconds * 1000);
    const [after, spent] = [look(), process.cpuUsage(load)];
    const watch = await endWatch(server.pid, server.folder);
    const flush = await takeFlushReport(server.folder);
    memory.stop();
    const elapsed = (after.at - before.at) / 1000;
    const { main, writer, others } = threadTimes(server.pid, before.threads, after.threads);
    const { failures, latest } = publishers;
    if (failures.length > 0) throw new Error(`publishers were lost: ${failures.slice(0, 3).join('; ')}`);
    const recorded =
      container === undefined ? undefined : await finishAndCheck(server, publishers, token, profile === undefined);
    return {
      watch,
      threads: { main: main / elapsed, writer: writer / elapsed, others: others / elapsed },
      waited: (after.waited - before.waited) / elapsed,
      memory: memory.means(seconds / PARTS),
      mbpsEach: ((after.bytes - before.bytes) * 8) / elapsed / streams / 1e6,
      lateMs: latest,
      loadCpu: (spent.user + spent.system) / 1e6 / elapsed,
      recorded: recorded === undefined ? undefined : { ...recorded, flush },
    };
  } finally {
    await publishers?.close();
    await server.stop();
  }
}

async function finishAndCheck(
  server: Awaited<ReturnType<typeof startSluice>>,
  publishers: Publishers,
  token: string,
  isWatched: boolean,
): Promise<Omit<RecordedCost, 'flush'>> {
  if (isWatched) beginWatch(server.pid);
  await publishers.close();
  const closed = performance.now();
  const files = await finishedFiles(server.api, token, publishers.sent.length);
  const finishSeconds = (performance.now() - closed) / 1000;
  const finishWatch = isWatched ? await endWatch(server.pid, server.folder) : undefined;
  if (isWatched) await takeFlushReport(server.folder);
  const report = await checkFiles(join(server.folder, 'data/recordings'), files, publishers.sent);
  return { ...report, finishSeconds, finishWatch };
}
