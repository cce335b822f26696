// The work of srt-live-transmit, done by @sluice/srt. As a process of its own, so that its CPU time can be told.
//   receive PORT            takes SRT, writes what comes to the standard output
//   send UDP_PORT PORT      takes UDP, gives it to the caller who asks over SRT
import { createSocket } from 'node:dgram';
import { writeSync } from 'node:fs';
import { SrtListener, type SrtSocket } from '@sluice/srt';

const HOST = '127.0.0.1';
const KERNEL_BUFFER = 4 * 1024 * 1024;
const STDOUT = 1;
const silent = { debug: () => undefined, warn: () => undefined };

async function listen(port: number, open: (socket: SrtSocket) => void): Promise<void> {
  await new SrtListener({ log: silent, decide: async () => ({ open }) }).listen(port, HOST);
}

async function receive(port: number): Promise<void> {
  await listen(port, (socket) => {
    socket.serve({ payload: (bytes) => void writeSync(STDOUT, bytes), closed: () => process.exit() });
  });
}

async function send(udpPort: number, port: number): Promise<void> {
  let caller: SrtSocket | undefined;
  await listen(port, (socket) => {
    caller = socket;
    socket.serve({ payload: () => undefined, closed: () => process.exit() });
  });
  const source = createSocket({ type: 'udp4', recvBufferSize: KERNEL_BUFFER });
  source.on('message', (bytes) => caller?.send(bytes));
  source.bind(udpPort, HOST);
}

// A profile is written at an exit, and not by a signal.
process.on('SIGTERM', () => process.exit());
const [direction, ...ports] = process.argv.slice(2);
const [first = 0, second = 0] = ports.map(Number);
await (direction === 'receive' ? receive(first) : send(first, second));
