import { Socket } from 'node:net';
import { setDefaultHighWaterMark } from 'node:stream';
import { type FromWorker, Line, type NumberedFrame, type ToWorker } from '@sluice/cluster';
import type { HandedSocket } from '../workers/handed-socket.js';
import { DeliveryWorker } from './delivery-worker.js';

/** The line to the main process among this one's file descriptors. */
const LINE = 4;
/** As those buffer that servers accept themselves; a socket that comes from another process can't be told. */
const SOCKET_BUFFER = 128 * 1024;

setDefaultHighWaterMark(false, SOCKET_BUFFER);
// Signals of a terminal or a supervisor go to all processes; the main one says when it is time.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

let worker: DeliveryWorker | undefined;
const line: Line<FromWorker, ToWorker> = new Line<FromWorker, ToWorker>({
  socket: new Socket({ fd: LINE }),
  onMessage: (message) => {
    if (message.type === 'start') {
      worker = new DeliveryWorker({ start: message, line });
      void worker.open(message);
    } else if (message.type === 'stop') void worker?.stop(message).then(() => process.exit(0));
    else worker?.take(message);
  },
  onFrame: (frame: NumberedFrame) => worker?.frame(frame),
  // The main process is gone, however it ended.
  onClose: () => process.exit(1),
});
process.on('disconnect', () => process.exit(1));
process.on('message', (handed: HandedSocket, socket?: Socket) => {
  if (worker === undefined) socket?.destroy();
  else worker.accept(handed, socket);
});
