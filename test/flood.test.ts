import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { makeClip } from './support/clip.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { ServerProcess } from './support/server-process.js';
import { until } from './support/until.js';
import { httpFlvViewer, type TestViewer } from './support/viewers.js';

const MIB = 1024 * 1024;
/** How many connections of each kind, and guesses of a password. */
const SIZE = IS_LONG ? { idle: 2500, slow: 1000, guesses: 10_000 } : { idle: 500, slow: 200, guesses: 2000 };

/** A sequence of dts without a gap is one from which no frame is missing. */
function missingPictures({ samples }: TestViewer): number {
  const times = samples.filter(({ kind }) => kind === 'video').map(({ dts }) => dts);
  const step = 40_000;
  return times.slice(1).filter((dts, at) => Math.abs(dts - (times[at] ?? 0) - step) > 2000).length;
}

describe('floods', () => {
  let server: ServerProcess;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.stop();
  });

  const opened = async (port: number, count: number, greeting: string | Buffer): Promise<void> => {
    for (let batch = 0; batch < count; batch += 250) {
      const some = Array.from({ length: Math.min(250, count - batch) }, () => connect(port, '127.0.0.1'));
      sockets.push(...some);
      await Promise.all(
        some.map(async (socket) => {
          socket.on('error', () => undefined).resume();
          await once(socket, 'connect');
          if (greeting.length > 0) socket.write(greeting);
        }),
      );
    }
  };

  it('of wrong logins, idle connections and handshakes that never end cost no viewer a frame, and no memory in the end', async () => {
    server = await ServerProcess.start({
      SLUICE_RTMP_HANDSHAKE_SECONDS: '3',
      SLUICE_VIEWERS_WAIT_FOR_STREAM_SECONDS: '0',
    });
    const { rtmp, http, api } = server.ports;
    const url = `http://127.0.0.1:${http}/live/show.flv`;
    const publisher = await ClipPublisher.start(`rtmp://127.0.0.1:${rtmp}/live/show`, await makeClip('h264', 2), {
      loop: true,
    });
    const viewer = await httpFlvViewer(url);
    await until('it plays', () => viewer.samples.length > 50);
    const before = await server.memory();

    await opened(http, SIZE.idle, '');
    await opened(rtmp, SIZE.idle, '');
    await opened(http, SIZE.slow, 'GET /live/show.flv HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    await opened(rtmp, SIZE.slow, Buffer.from([3, 0, 0, 0, 0]));
    const slow = setInterval(() => {
      for (const socket of sockets) if (socket.writable && socket.bytesWritten > 0) socket.write('a');
    }, 500);
    const statuses = new Map<number, number>();
    await guess(`http://127.0.0.1:${api}/api/v2/auth/login`, SIZE.guesses, statuses);
    expect(statuses.get(429)).toBeGreaterThan(SIZE.guesses - 100);
    expect([...statuses.keys()].sort()).toEqual([401, 429]);
    // While all that is going on, others are served.
    const late = await httpFlvViewer(url);
    await until('a new viewer plays', () => late.samples.length > 20);
    await late.leave();
    await until(
      'half handshakes are thrown out',
      () => sockets.slice(SIZE.idle, 2 * SIZE.idle).every(({ closed }) => closed),
      30_000,
    );
    await until(
      'slow requests are thrown out',
      () => sockets.slice(2 * SIZE.idle).every(({ closed }) => closed),
      60_000,
    );
    clearInterval(slow);

    const seen = viewer.samples.length;
    await until('the viewer still plays', () => viewer.samples.length > seen + 50);
    expect(viewer.ended).toBe(false);
    expect(missingPictures(viewer)).toBe(0);
    for (const socket of sockets.splice(0)) socket.destroy();
    await until('memory is back', async () => (await server.memory()) - before < 64 * MIB, 60_000);
    await viewer.leave();
    await publisher.stop();
  }, 240_000);
});

/** Tries passwords, a hundred at a time. */
async function guess(url: string, count: number, statuses: Map<number, number>): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ user: 'admin', password: `guess ${left}` }),
      });
      await response.body?.cancel();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 100 }, one));
}
