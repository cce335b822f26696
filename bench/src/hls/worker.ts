import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../clock.js';
import type { WorkerAnswer, WorkerRequest, WorkerSetup } from './messages.js';
import { PlaylistReader } from './read-playlist.js';
import { type HlsViewer, openViewer, type ViewerContext } from './viewer.js';

const READ_BYTES = 256 * 1024;
const MAX_WAITING = 64;
const START_TIMEOUT_MS = 30_000;

const { host, port, path, kind, index } = workerData as WorkerSetup;
const viewers: HlsViewer[] = [];
let bytes = 0;
let answers = 0;
let pieces: number[] = [];
let playlists: number[] = [];
let isObserving = false;
const context: ViewerContext = {
  ...{ host, port, path },
  readBuffer: Buffer.allocUnsafeSlow(READ_BYTES),
  playlists: new PlaylistReader(),
  onBytes: (count) => {
    bytes += count;
  },
  onPiece: ({ segment, part }, at) => {
    answers += 1;
    if (isObserving) pieces.push(segment, part, at);
  },
  onPlaylist: ({ hint }, at) => {
    answers += 1;
    if (isObserving && hint !== undefined) playlists.push(hint.segment, hint.part, at);
  },
};

const isPending = ({ plays, failure }: HlsViewer): boolean => !plays && failure === undefined;

async function attach(count: number, intervalMs: number): Promise<void> {
  const begun = monotonicMs();
  let pending: HlsViewer[] = [];
  while (viewers.length < count || pending.length > 0) {
    const due = Math.min(count, 1 + Math.floor((monotonicMs() - begun) / intervalMs));
    while (viewers.length < due && pending.length < MAX_WAITING) {
      const viewer = openViewer(kind, context, `${index}.${viewers.length}`);
      viewers.push(viewer);
      pending.push(viewer);
    }
    await sleep(1);
    pending = pending.filter(isPending);
    if (monotonicMs() - begun > START_TIMEOUT_MS + count * intervalMs) return;
  }
}

function report(): WorkerAnswer {
  const failed = viewers.filter(({ failure, plays }) => failure !== undefined || !plays);
  return {
    viewers: viewers.length,
    failed: failed.length,
    reason: failed.length === 0 ? undefined : (failed[0]?.failure ?? 'nothing came in time'),
    missed: viewers.reduce((sum, { missed }) => sum + missed, 0),
    bytes,
    answers,
    pieces: [],
    playlists: [],
  };
}

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  switch (request.kind) {
    case 'attach':
      await attach(request.viewers, request.intervalMs);
      return report();
    case 'observe':
      isObserving = true;
      [bytes, answers, pieces, playlists] = [0, 0, [], []];
      return report();
    case 'look':
      return report();
    case 'finish': {
      const found = { ...report(), pieces, playlists };
      isObserving = false;
      for (const viewer of viewers) viewer.close();
      return found;
    }
  }
}

parentPort?.on('message', async (request: WorkerRequest) => parentPort?.postMessage(await answer(request)));
