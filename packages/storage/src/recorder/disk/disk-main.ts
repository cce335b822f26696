import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { FileWriter } from './file-writer.js';
import { type DiskCall, STOP, type ThreadData } from './protocol.js';
import { SyncThreads } from './sync-threads.js';
import { ThreadProgress } from './thread-watch.js';

/** Messages between two syncs: on a slow disk some must be done with while others come. */
const MAX_BATCH = 512;

const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const { root, progress: shared } = workerData as ThreadData;
const progress = new ThreadProgress(shared);
const syncThreads = new SyncThreads(shared);
const writer = new FileWriter({
  root,
  tell: (news) => port.postMessage(news),
  progress: () => progress.step(),
  syncFiles: (fds) => syncThreads.sync(fds),
});

port.on('message', (first: DiskCall | typeof STOP) => {
  let message: DiskCall | typeof STOP | undefined = first;
  let count = 0;
  let stops = false;
  // All that is waiting is written before anything is synced: files share the commits of the file system's journal.
  while (message !== undefined) {
    if (message === STOP) stops = true;
    else writer.take(message);
    count += 1;
    message = count < MAX_BATCH ? receiveMessageOnPort(port)?.message : undefined;
  }
  writer.sync();
  progress.done(count);
  if (!stops) return;
  syncThreads.stop();
  port.close();
});
