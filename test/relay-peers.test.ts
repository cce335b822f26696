import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sample } from '@sluice/media';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeTestCertificate } from './support/certificate.js';
import { type Clip, makeClip } from './support/clip.js';
import { ffprobe } from './support/ffmpeg.js';
import { freePort } from './support/free-port.js';
import { IS_LONG } from './support/long.js';
import { type Nginx, startNginx } from './support/nginx.js';
import { ClipPublisher, exited } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { ServerProcess } from './support/server-process.js';
import { until } from './support/until.js';
import { httpFlvViewer, rtmpViewer, type TestViewer } from './support/viewers.js';

const picturesOf = ({ samples }: Pick<TestViewer, 'samples'>) => samples.filter(({ kind }) => kind === 'video');

/** A picture and where it is shown, whatever the timeline begins with. */
const told = (pictures: readonly Sample[]) =>
  pictures.map(({ data, pts, dts, keyframe }) => {
    const hash = createHash('sha256').update(data).digest('hex').slice(0, 12);
    return `${hash} ${pts - dts} ${keyframe}`;
  });

const FFMPEG = ['-hide_banner', '-nostdin', '-loglevel', 'error'];

/** ffmpeg as a server that gives a picture with B-frames to the first who comes. */
function ffmpegOrigin(url: string): ChildProcess {
  const picture = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=4'];
  const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '3'];
  return spawn('ffmpeg', [...FFMPEG, ...picture, ...coded, '-f', 'flv', '-listen', '1', url], { stdio: 'ignore' });
}

describe('Relays', () => {
  const closing: (() => Promise<unknown>)[] = [];
  let clip: Clip;
  let sent: string[];
  let directory: string;
  beforeAll(async () => {
    clip = await makeClip('h264-b', 3);
    sent = told(clip.samples.filter(({ kind }) => kind === 'video'));
    directory = await mkdtemp(join(tmpdir(), 'sluice-relays-'));
  }, 60_000);
  afterAll(() => rm(directory, { recursive: true }));
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function server(yaml: string, environment: Record<string, string> = {}): Promise<TestServer> {
    const started = await startServer(yaml, environment);
    closing.push(() => started.stop());
    return started;
  }

  async function encoder(child: ChildProcess): Promise<void> {
    closing.push(async () => {
      child.kill('SIGKILL');
      await exited(child);
    });
  }

  describe('with nginx-rtmp', () => {
    let nginx: Nginx;
    let url: string;
    beforeAll(async () => {
      const port = await freePort();
      const blocks = `rtmp { access_log off; server { listen 127.0.0.1:${port};
        application live { live on; }
        application keyed { live on; allow publish all; } } }`;
      nginx = await startNginx({ modules: ['ngx_rtmp_module'], blocks, port });
      url = `rtmp://127.0.0.1:${port}`;
    });
    afterAll(() => nginx.stop());

    it('pull every picture from it', async () => {
      const sluice = await server(`paths: { "from/*": { pull: { url: "${url}/live/{name}" } } }`);
      const waiting = rtmpViewer(`${sluice.rtmp}/from/pulled`);
      await until('it is asked', () => sluice.log.some(({ msg, path }) => msg === 'pulling' && path === 'from/pulled'));
      const publisher = await ClipPublisher.start(`${url}/live/pulled`, clip);
      closing.push(() => publisher.stop());
      const viewer = await waiting;
      closing.push(() => viewer.leave());
      await until('all has come', () => picturesOf(viewer).length >= sent.length);
      expect(told(picturesOf(viewer))).toEqual(sent);
    }, 30_000);

    it('push every picture to it, and say what the stream is', async () => {
      const key = `key-${SECRET_MARK}`;
      const sluice = await server(`push: { urls: ["${url}/live/{name}", "${url}/keyed/${key}"] }`);
      const viewers = [await rtmpViewer(`${url}/live/pushed`), await rtmpViewer(`${url}/keyed/${key}`)];
      const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/pushed`, clip);
      closing.push(() => publisher.stop());
      for (const viewer of viewers) {
        closing.push(() => viewer.leave());
        await until('all has come', () => picturesOf(viewer).length >= sent.length);
        expect(told(picturesOf(viewer))).toEqual(sent);
        const metadata = viewer.events.find(({ type }) => type === 'metadata');
        expect(metadata).toMatchObject({ metadata: { width: 320, height: 180 } });
      }
    }, 30_000);

    it.runIf(IS_LONG)(
      'push again to one that was killed and is back',
      async () => {
        const port = await freePort();
        const blocks = `rtmp { server { listen 127.0.0.1:${port}; application live { live on; } } }`;
        const peer = () => startNginx({ modules: ['ngx_rtmp_module'], blocks, port });
        const first = await peer();
        const sluice = await server(`push: { urls: ["rtmp://127.0.0.1:${port}/live/{name}"] }`);
        const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/again`, clip, { loop: true });
        closing.push(() => publisher.stop());
        await until('it is pushed', () => sluice.log.some(({ msg }) => msg === 'pushing'));
        await first.stop();
        await until('it is missed', () => sluice.log.some(({ msg }) => msg === 'pushing is interrupted'));
        const second = await peer();
        closing.push(() => second.stop());
        const viewer = await rtmpViewer(`rtmp://127.0.0.1:${port}/live/again`);
        closing.push(() => viewer.leave());
        await until('it is there again', () => picturesOf(viewer).length > 25);
      },
      30_000,
    );
  });

  describe('with ffmpeg as a server', () => {
    const offers = ['http://127.0.0.1:PORT/show.flv', ...(IS_LONG ? ['rtmp://127.0.0.1:PORT/live/show'] : [])];
    it.each(offers)(
      'pull from %s',
      async (template) => {
        const url = template.replace('PORT', String(await freePort()));
        const pull = `pull: { url: "${url}", mode: onDemand }`;
        const sluice = await server(`{ publish: { graceSeconds: 0 }, paths: { "live/camera": { ${pull} } } }`);
        const waiting = rtmpViewer(`${sluice.rtmp}/live/camera`);
        await encoder(ffmpegOrigin(url));
        const viewer = await waiting;
        await until('it is over', () => viewer.ended, 20_000);
        const pictures = picturesOf(viewer);
        expect(pictures.length).toBe(100);
        expect(pictures.some(({ pts, dts }) => pts !== dts)).toBe(true);
      },
      40_000,
    );

    it('push to it', async () => {
      const url = `rtmp://127.0.0.1:${await freePort()}/live/show`;
      const file = join(directory, 'pushed.flv');
      const child = spawn('ffmpeg', [...FFMPEG, '-listen', '1', '-f', 'flv', '-i', url, '-c', 'copy', file], {
        stdio: 'ignore',
      });
      await encoder(child);
      const sluice = await server(`{ publish: { graceSeconds: 0 }, push: { urls: ["${url}"] } }`);
      const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/pushed`, clip);
      await until('it is pushed', () => sluice.log.some(({ msg }) => msg === 'pushing'), 20_000);
      await until('all is sent', () => publisher.done);
      await publisher.stop();
      await exited(child);
      const { packets, streams } = await ffprobe(file);
      expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
      const video = packets.filter(({ codec_type }) => codec_type === 'video');
      expect(video.length).toBe(sent.length);
      expect(video.some(({ pts_time, dts_time }) => pts_time !== dts_time)).toBe(true);
    }, 40_000);
  });

  it('go over TLS, with HEVC as Enhanced RTMP has it', async () => {
    const certificate = await makeTestCertificate(directory);
    const origin = await server(`tls: { certFile: ${certificate.certFile}, keyFile: ${certificate.keyFile} }`);
    const { ports } = origin.server;
    const hevc = await makeClip('hevc', 2);
    const publisher = await ClipPublisher.start(`${origin.rtmp}/live/show`, hevc, { loop: true });
    closing.push(() => publisher.stop());
    const yaml = `
paths:
  "rtmps/*": { pull: { url: "rtmps://localhost:${ports.rtmps}/live/{name}" } }
  "https/*": { pull: { url: "https://localhost:${ports.https}/live/{name}.flv" } }
  "rtmps/show": { push: { urls: ["rtmps://localhost:${ports.rtmps}/copy/{name}"] } }
`;
    const own = await mkdtemp(join(directory, 'edge-'));
    await writeFile(join(own, 'sluice.yml'), yaml);
    const edge = await ServerProcess.start({ NODE_EXTRA_CA_CERTS: certificate.caFile }, own);
    closing.push(() => edge.stop());
    const viewers = await Promise.all([
      httpFlvViewer(`http://127.0.0.1:${edge.ports.http}/rtmps/show.flv`),
      httpFlvViewer(`http://127.0.0.1:${edge.ports.http}/https/show.flv`),
      rtmpViewer(`${origin.rtmp}/copy/show`),
    ]);
    for (const viewer of viewers) {
      closing.push(() => viewer.leave());
      await until('it is watched', () => picturesOf(viewer).length > 50);
      const config = viewer.events.find((event) => event.type === 'config' && event.config.kind === 'video');
      expect(config).toMatchObject({ config: { codec: 'hevc' } });
      const times = picturesOf(viewer).map(({ dts }) => dts);
      for (const [at, dts] of times.slice(1).entries()) expect(dts - (times[at] ?? 0)).toBe(40_000);
    }
  }, 90_000);
});
