import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const TRIES = 50;

/** A port that is free for UDP and TCP alike, for programs that can't say which one they took. */
export async function freePort(): Promise<number> {
  for (let count = 0; count < TRIES; count++) {
    const port = await tcpPort();
    if (await isFreeForUdp(port)) return port;
  }
  throw new Error(`no port in ${TRIES} was free for UDP, too`);
}

async function tcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

async function isFreeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const isFree = await new Promise<boolean>((done) => {
    socket.once('error', () => done(false));
    socket.bind(port, '127.0.0.1', () => done(true));
  });
  socket.close();
  return isFree;
}
