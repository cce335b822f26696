import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { freePort } from './support/free-port.js';
import { ClipPublisher, exited } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

const PASSPHRASE = `passphrase-${SECRET_MARK}`;

interface Listed {
  readonly sessions: { id: string; action: string; protocol: string; path: string; identity: { kind: string } }[];
}

const sessionsOf = async (server: TestServer, action: string) =>
  (await api<Listed>(server, 'GET', `/api/v2/sessions?protocol=srt&action=${action}`)).body.sessions;

/** ffmpeg as a camera that is called: an SRT listener. */
function camera(port: number): ChildProcess {
  const picture = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'];
  const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '0', '-f', 'mpegts'];
  const url = `srt://127.0.0.1:${port}?mode=listener&passphrase=${PASSPHRASE}`;
  return spawn('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'quiet', ...picture, ...coded, url], {
    stdio: 'ignore',
  });
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await exited(child);
}

describe('SRT relays', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function server(yaml: string): Promise<TestServer> {
    const started = await startServer(yaml);
    closing.push(() => started.stop());
    return started;
  }

  it('pull what a camera shows, and again when it comes back', async () => {
    const port = await freePort();
    const pull = `pull: { url: "srt://127.0.0.1:${port}?passphrase=${PASSPHRASE}&latency=60" }`;
    let child = camera(port);
    closing.push(() => killed(child));
    const sluice = await server(`{ publish: { graceSeconds: 20 }, paths: { "live/camera": { ${pull} } } }`);
    await until('the stream is live', () => sluice.log.some(({ msg }) => msg === 'stream is live'));
    const viewer = await httpFlvViewer(`${sluice.http}/live/camera.flv`);
    const pictures = () => viewer.samples.filter(({ kind }) => kind === 'video').length;
    await until('it is watched', () => pictures() > 30);
    expect(await sessionsOf(sluice, 'publish')).toMatchObject([{ path: 'live/camera' }]);
    await killed(child);
    await until('it is missed', () => sluice.log.some(({ msg }) => msg === 'pulling is interrupted'), 10_000);
    const before = pictures();
    child = camera(port);
    await until('it goes on', () => pictures() > before + 30, 20_000);
    await viewer.leave();
    const { body } = await api(sluice, 'GET', '/api/v2/config');
    expect(JSON.stringify(body)).toContain('"pull":{"url":"(set)"');
    expect(JSON.stringify(body)).not.toContain(SECRET_MARK);
  }, 60_000);

  it('push what is live to another server, which shows every picture', async () => {
    const target = await server(
      `paths: { "copy/*": { access: { publish: closed } }, "live/*": { srt: { publishPassphrase: ${PASSPHRASE} } } }`,
    );
    const to = `srt://127.0.0.1:${target.server.ports.srt}?streamid=publish:{app}/{name}&passphrase=${PASSPHRASE}`;
    const closed = `srt://127.0.0.1:${target.server.ports.srt}?streamid=publish:copy/{name}`;
    const source = await server(`push: { urls: ["${to}", "${closed}"] }`);
    const publisher = await ClipPublisher.start(`${source.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const viewer = await httpFlvViewer(`${target.http}/live/show.flv`);
    const pictures = () => viewer.samples.filter(({ kind }) => kind === 'video').map(({ dts }) => dts);
    await until('it is watched', () => pictures().length > 60, 10_000);
    for (const [at, dts] of pictures().slice(1).entries()) expect(dts - (pictures()[at] ?? 0)).toBe(40_000);
    expect(await sessionsOf(source, 'play')).toMatchObject([{ path: 'live/show', action: 'play' }]);
    await until('the other one is refused', () =>
      source.log.some(({ msg, reason }) => msg === 'pushing is interrupted' && /forbidden/.test(String(reason))),
    );
    await viewer.leave();
    await publisher.stop();
    await until('nothing is pushed', async () => (await sessionsOf(source, 'play')).length === 0, 15_000);
  }, 60_000);

  it('follow the configuration, and say what is wrong with it', async () => {
    const source = await server('');
    const publisher = await ClipPublisher.start(`${source.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    closing.push(() => publisher.stop());
    const sluice = await server('');
    const url = `srt://127.0.0.1:${source.server.ports.srt}?streamid=read:live/show`;
    const set = (paths: object) => api(sluice, 'PATCH', '/api/v2/config', { paths });
    expect((await set({ 'live/copy': { pull: { url } } })).status).toBe(200);
    await until('it is live', async () => (await sessionsOf(sluice, 'publish')).length === 1);
    expect((await set({})).status).toBe(200);
    await until('it is over', async () => (await sessionsOf(sluice, 'publish')).length === 0);
    const secret = `srt://h:1?passphrase=${PASSPHRASE}`;
    expect((await set({ 'live/a': { pull: { url: `${secret}&latencyms=1` } } })).status).toBe(200);
    const told = 'a relay of the configuration is left out';
    await until('it says so', () => sluice.log.some(({ msg, path }) => msg === told && path === 'live/a'));
  }, 60_000);
});
