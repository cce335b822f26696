import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { checkFile } from '../finish/check-file.js';
import { listFiles, removeFile } from '../finish/files.js';
import { finishFile } from '../finish/finish-file.js';
import { diskErrorOf } from './errors.js';
import type { FinisherAnswer, FinisherRequest, FinisherValue } from './finisher-protocol.js';
import type { ThreadData } from './protocol.js';
import { ThreadProgress } from './thread-watch.js';

/** On Linux a thread has a niceness of its own: checksums take the processor's time that nothing else wants. */
const NICENESS = 10;

const port = parentPort;
if (port === null) throw new Error('this is the entry of a worker thread');
const { root, progress: shared } = workerData as ThreadData;
const progress = new ThreadProgress(shared);
const step = () => progress.step();
const answer = (message: FinisherAnswer) => port.postMessage(message);
if (process.platform === 'linux') setPriority(0, NICENESS);

/** Checks go one after another, in slices between which everything else gets its turn. */
let checks: Promise<void> = Promise.resolve();

port.on('message', (request: FinisherRequest) => {
  if (request.kind === 'check') {
    checks = checks.then(() => settle(request, () => checkFile(root, request.file, request.expected, step)));
  } else {
    void settle(request, () => perform(request));
  }
});

function perform(request: Exclude<FinisherRequest, { kind: 'check' }>): FinisherValue {
  switch (request.kind) {
    case 'finish':
      return finishFile(root, request.file, request.container, step);
    case 'remove':
      return removeFile(root, request.file);
    case 'list':
      return listFiles(root, step);
  }
}

async function settle(request: FinisherRequest, act: () => FinisherValue | Promise<FinisherValue>): Promise<void> {
  try {
    answer({ kind: 'value', id: request.id, value: await act() });
  } catch (error) {
    const { code, message } = diskErrorOf(error, 'file' in request ? request.file : root);
    answer({ kind: 'error', id: request.id, code, message });
  }
  progress.done(1);
}
