import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { REJECTION, srtCall } from '@sluice/srt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { ffprobe } from './support/ffmpeg.js';
import { ClipPublisher, exited } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, httpFlvViewer, rtmpViewer, type TestViewer } from './support/viewers.js';

const PASSPHRASE = `passphrase-${SECRET_MARK}`;

/** ffmpeg as an SRT encoder, with libsrt. */
function srtEncoder(url: string, seconds: number) {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`];
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`];
  const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '0', '-c:a', 'aac'];
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-re', ...picture, '-re', ...sound, ...coded];
  return spawn('ffmpeg', [...args, '-f', 'mpegts', url], { stdio: ['ignore', 'ignore', 'pipe'] });
}

interface Listed {
  readonly sessions: { readonly protocol: string; readonly transport: Record<string, number> | null }[];
}

const framesOf = ({ samples }: TestViewer) => samples.filter(({ kind }) => kind === 'video');

describe('SRT', () => {
  let sluice: TestServer;
  let srt: string;
  beforeAll(async () => {
    sluice = await startServer(`
      hls: { segmentSeconds: 1, always: true, segments: 10 }
      publish: { graceSeconds: 0 }
      viewers: { waitForStreamSeconds: 5 }
      paths:
        "vip/*": { access: { publish: credential, play: credential } }
        "coded/*": { srt: { publishPassphrase: ${PASSPHRASE}, playPassphrase: ${PASSPHRASE} } }`);
    srt = `srt://127.0.0.1:${sluice.server.ports.srt}`;
  });
  afterAll(() => sluice.stop());

  it('in gives every picture of ffmpeg out over HLS, HTTP-FLV and RTMP', async () => {
    const encoder = srtEncoder(`${srt}?streamid=publish:live/in`, 4);
    await until('the stream is live', () =>
      sluice.log.some(({ msg, path }) => msg === 'stream is live' && path === 'live/in'),
    );
    const viewers = [
      await rtmpViewer(`${sluice.rtmp}/live/in`),
      await httpFlvViewer(`${sluice.http}/live/in.flv`),
      new HlsViewer(`${sluice.http}/live/in.m3u8`),
    ];
    const received = async () => {
      const { body } = await api<Listed>(sluice, 'GET', '/api/v2/sessions?action=publish&protocol=srt');
      return body.sessions[0]?.transport?.pktRecv ?? 0;
    };
    await until('the API tells of the line', async () => (await received()) > 100);
    expect(await exited(encoder)).toBe(0);
    await until('all are over', () => viewers.every(({ ended }) => ended));
    for (const viewer of viewers) {
      const times = framesOf(viewer).map(({ dts }) => dts);
      // Those that joined late began with the keyframe before; from there on nothing is missing.
      expect(times.length).toBeGreaterThanOrEqual(75);
      for (const [at, dts] of times.slice(1).entries()) expect(dts - (times[at] ?? 0)).toBe(40_000);
      await viewer.leave();
    }
    // A libsrt that is closed throws away what it has not sent yet: the last 200 ms may be among that.
    const longest = Math.max(...viewers.map((viewer) => framesOf(viewer).length));
    expect(longest).toBeGreaterThanOrEqual(95);
    const gone = sluice.log.find(({ msg }) => msg === 'SRT publisher is gone');
    expect(gone).toMatchObject({ path: 'live/in', pktRcvDrop: 0, continuityErrors: 0 });
  });

  it('out gives ffprobe what came in over RTMP', async () => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/out`, await makeClip('h264', 2), { loop: true });
    const { streams, packets } = await ffprobe(`${srt}?streamid=read:live/out`, [
      '-read_intervals',
      '%+2',
      '-show_packets',
    ]);
    expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
    const times = (packets ?? [])
      .filter(({ codec_type }) => codec_type === 'video')
      .map(({ dts_time }) => Number(dts_time));
    expect(times.length).toBeGreaterThan(25);
    for (const [at, time] of times.slice(1).entries()) expect(time - (times[at] ?? 0)).toBeCloseTo(0.04, 3);
    const watching = async () =>
      (await api<Listed>(sluice, 'GET', '/api/v2/sessions?action=play&protocol=srt')).body.sessions.length;
    await until('the session is over', async () => (await watching()) === 0);
    await publisher.stop();
  });

  const call = (streamId: string, passphrase?: string) =>
    srtCall({
      host: '127.0.0.1',
      port: sluice.server.ports.srt ?? 0,
      streamId,
      ...(passphrase === undefined ? {} : { passphrase }),
    });

  it.each([
    ['publish:vip/show', REJECTION.unauthorized],
    ['publish:vip/show:anna:wrong', REJECTION.unauthorized],
    ['#!::r=vip/show,m=publish,key=wrong', REJECTION.unauthorized],
    ['#!::r=vip/show,m=request', REJECTION.unauthorized],
    ['#!::m=publish', REJECTION.badRequest],
    ['#!::r=live/show,m=bidirectional', REJECTION.badRequest],
    ['publish:live/../etc', REJECTION.badRequest],
    ['', REJECTION.badRequest],
    ['read:live/nothing', REJECTION.notFound],
  ])('tells a caller of %j why it is refused', async (streamId, rejection) => {
    await expect(call(streamId)).rejects.toMatchObject({ code: 'rejected', rejection });
  });

  it('lets in who shows a key or a password, in each form of stream id', async () => {
    const key = await api<{ key: string }>(sluice, 'POST', '/api/v2/stream-keys', { path: 'vip/*' });
    const user = { name: 'anna', password: `pass-word-${SECRET_MARK}`, publish: ['vip/*'] };
    expect((await api(sluice, 'POST', '/api/v2/users', user)).status).toBe(201);
    for (const streamId of [
      `#!::r=vip/show,m=publish,key=${key.body.key}`,
      `publish:vip/show?key=${key.body.key}`,
      `publish:vip/show:anna:${user.password}`,
    ]) {
      const socket = await call(streamId);
      await until('it publishes', async () => (await api(sluice, 'GET', '/api/v2/streams/vip/show')).status === 200);
      socket.close('done');
      await until('it is gone', async () => (await api(sluice, 'GET', '/api/v2/streams/vip/show')).status === 404);
    }
  });

  it('wants the passphrase of a path, and is kicked as on every protocol', async () => {
    await expect(call('publish:coded/show')).rejects.toMatchObject({ rejection: REJECTION.unsecure });
    await expect(call('publish:coded/show', 'another passphrase')).rejects.toMatchObject({
      rejection: REJECTION.badSecret,
    });
    const encoder = srtEncoder(`${srt}?streamid=publish:coded/show&passphrase=${PASSPHRASE}&pbkeylen=32`, 20);
    const viewer = await httpFlvViewer(`${sluice.http}/coded/show.flv`);
    await until('it plays', () => framesOf(viewer).length > 10);
    type Listed = { sessions: { id: string; received: number }[] };
    const { body } = await api<Listed>(sluice, 'GET', '/api/v2/sessions?action=publish&protocol=srt');
    expect(body.sessions).toHaveLength(1);
    expect(body.sessions[0]?.received).toBeGreaterThan(10_000);
    await api(sluice, 'DELETE', `/api/v2/sessions/${body.sessions[0]?.id}`);
    await until('it is cut', () => viewer.ended, 2000);
    encoder.kill('SIGKILL');
    await exited(encoder);
  });

  it('keeps nothing of ten thousand callers who never come back', async () => {
    const sockets: Socket[] = [];
    const induction = Buffer.alloc(64);
    induction.writeUInt32BE(0x8000_0000, 0);
    induction.writeUInt32BE(4, 16);
    induction.writeUInt16BE(2, 22);
    induction.writeUInt32BE(1500, 28);
    induction.writeUInt32BE(8192, 32);
    induction.writeUInt32BE(1, 36);
    induction.writeUInt32BE(77, 40);
    for (let batch = 0; batch < 20; batch++) {
      const some = Array.from({ length: 500 }, () => createSocket('udp4'));
      sockets.push(...some);
      await Promise.all(
        some.map(async (socket) => {
          socket.bind(0, '127.0.0.1');
          await once(socket, 'listening');
          socket.send(induction, sluice.server.ports.srt ?? 0, '127.0.0.1');
        }),
      );
      for (const socket of sockets.splice(0)) socket.close();
    }
    const { body } = await api<{ sessions: unknown[] }>(sluice, 'GET', '/api/v2/sessions?protocol=srt');
    expect(body.sessions).toEqual([]);
    const socket = await call('publish:live/after');
    socket.close('done');
  });
});
