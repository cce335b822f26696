import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { checkFile } from '../finish/check-file.js';
import { listFiles, removeFile } from '../finish/files.js';
import { finishFile } from '../finish/finish-file.js';
import { SlicedWork } from '../finish/sliced-work.js';
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

const work = new SlicedWork(step);

port.on('message', (request: FinisherRequest) => void settle(request, () => perform(request)));

/** Files are made whole at once. Their checksums, which take longer, and then checks, wait until nothing else is asked. */
function perform(request: FinisherRequest): FinisherValue | Promise<FinisherValue> {
  switch (request.kind) {
    case 'finish': {
      const slices = finishFile(root, request.file, request.container, step);
      const first = slices.next();
      return first.done === true ? first.value : work.add('checksum', slices);
    }
    case 'check':
      return work.add('check', checkFile(root, request.file, request.expected));
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
