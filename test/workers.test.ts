import { mkdtemp, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { Agent, get as getTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sample } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeTestCertificate } from './support/certificate.js';
import { type Clip, makeClip } from './support/clip.js';
import { startNode } from './support/cluster-nodes.js';
import { IS_LONG } from './support/long.js';
import { MeteredViewer } from './support/metered-viewer.js';
import { NatsServer } from './support/nats-server.js';
import { ClipPublisher, exited, ffmpegPublisher } from './support/publisher.js';
import { RtpPeer } from './support/rtp-peer.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { ServerProcess } from './support/server-process.js';
import { until } from './support/until.js';
import {
  HlsViewer,
  httpFlvViewer,
  parsePlaylist,
  rtmpViewer,
  type TestViewer,
  webSocketViewer,
} from './support/viewers.js';

const H264 = ['rtpmap:96 H264/90000', 'fmtp:96 packetization-mode=1;profile-level-id=42e01f'];
const SECRET = `signing-secret-of-the-workers-test-${SECRET_MARK}`;

interface SessionRow {
  readonly id: string;
  readonly protocol: string;
  readonly action: string;
  readonly path: string;
  readonly ip: string;
  readonly sent: number;
}

describe('a server with two workers', () => {
  let directory: string;
  let sluice: TestServer;
  let clip: Clip;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-workers-'));
    const { certFile, keyFile } = await makeTestCertificate(directory);
    sluice = await startServer(
      [
        'workers: 2',
        `tls: { certFile: ${certFile}, keyFile: ${keyFile} }`,
        'hls: { segmentSeconds: 1 }',
        'publish: { takeover: replace }',
        'paths: { live/long: { hls: { windowSeconds: 60 } }, vip/*: { access: { play: credential } } }',
      ].join('\n'),
      { SLUICE_AUTH_SIGNING_SECRET: SECRET },
    );
    clip = await makeClip('h264', 2);
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
  });
  afterAll(async () => {
    await publisher?.stop();
    await sluice?.stop();
    await rm(directory, { recursive: true });
  });

  const sessions = async () => (await api<{ sessions: SessionRow[] }>(sluice, 'GET', '/api/v2/sessions')).body.sessions;

  it('plays a stream over every protocol, as one view', async () => {
    const url = '/live/show';
    const viewers: TestViewer[] = await Promise.all([
      httpFlvViewer(`${sluice.http}${url}.flv`),
      webSocketViewer(`${sluice.ws}${url}.flv`),
      rtmpViewer(`${sluice.rtmp}${url}`),
      new HlsViewer(`${sluice.http}${url}.m3u8`),
    ]);
    for (const [index, viewer] of viewers.entries()) {
      await until(`viewer ${index} sees pictures`, () => viewer.samples.length > 30);
    }
    const rows = await sessions();
    expect(rows.map(({ protocol, action }) => `${action} ${protocol}`).sort()).toEqual([
      'play hls',
      'play http-flv',
      'play rtmp',
      'play ws-flv',
      'publish rtmp',
    ]);
    const served = sluice.server.workers.map(({ sessions: count }) => count);
    expect(served.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(Math.min(...served)).toBeGreaterThan(0);
    await until('viewers of all workers are counted', async () => {
      const { body } = await api<{ viewers: number }>(sluice, 'GET', '/api/v2/streams/live/show');
      return body.viewers === 4;
    });
    await until('what they were sent is known', async () => {
      const plays = (await sessions()).filter(({ action }) => action === 'play');
      return plays.every(({ sent }) => sent > 1000);
    });
    await Promise.all(viewers.map((viewer) => viewer.leave()));
  });

  it('gives DASH, whose segments are the same in all workers', async () => {
    const mpd = await fetch(`${sluice.http}/live/show.mpd`);
    expect([mpd.status, mpd.headers.get('content-type')]).toEqual([200, 'application/dash+xml']);
    const text = await mpd.text();
    const [, media = ''] = /media="([^"]+)"/.exec(text) ?? [];
    const [, init = ''] = /initialization="([^"]+)"/.exec(text) ?? [];
    expect(media).toContain('$');
    expect((await fetch(new URL(init, `${sluice.http}/live/show.mpd`))).status).toBe(200);
  });

  it('plays over WebRTC, each worker on a port of its own', async () => {
    const before = sluice.server.workers.map(({ sessions: count }) => count);
    const peer = await RtpPeer.connect(`${sluice.http}/whep/live/show`, 'recvonly', H264);
    await until('pictures come', () => peer.got.length > 100);
    expect(peer.answer).not.toContain(` ${sluice.server.ports.webrtc} typ host`);
    const after = sluice.server.workers.map(({ sessions: count }) => count);
    expect(after.reduce((sum, count) => sum + count, 0)).toBe(before.reduce((sum, count) => sum + count, 0) + 1);
    expect((await sessions()).some(({ protocol }) => protocol === 'webrtc')).toBe(true);
    await peer.close();
    await until('its session is over', async () => (await sessions()).every(({ protocol }) => protocol !== 'webrtc'));
  });

  it('publishes what an encoder sends to a worker, behind TLS', async () => {
    const encoder = ffmpegPublisher(`${sluice.rtmps}/live/tls`, { seconds: 60, bFrames: 0 });
    const viewers = [
      await httpFlvViewer(`${sluice.http}/live/tls.flv`),
      await httpFlvViewer(`${sluice.http}/live/tls.flv`),
    ];
    await until('both workers play it', () => viewers.every(({ samples }) => samples.length > 30));
    const publisherOfWorker = (await sessions()).find(
      ({ action, protocol }) => `${action} ${protocol}` === 'publish rtmps',
    );
    expect(publisherOfWorker).toMatchObject({ path: 'live/tls' });
    encoder.kill();
    await exited(encoder);
    await until('its session is over', async () => (await sessions()).every(({ protocol }) => protocol !== 'rtmps'));
    await Promise.all(viewers.map((viewer) => viewer.leave()));
  });

  it('serves streams that have a past from the main process, wherever it is asked', async () => {
    const encoder = await ClipPublisher.start(`${sluice.rtmp}/live/long`, clip, { loop: true });
    for (const base of [sluice.http, sluice.https]) {
      await until(`it can be had from ${base}`, async () => (await insecure(`${base}/live/long.m3u8`)).status === 200);
    }
    const { text } = await insecure(`${sluice.https}/live/long.m3u8`);
    const [segment = ''] = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect((await insecure(new URL(segment, `${sluice.https}/live/long.m3u8`).href)).status).toBe(200);
    await encoder.stop();
  });

  it('lets HLS viewers in by their credential once, and then by what their URLs carry', async () => {
    const encoder = await ClipPublisher.start(`${sluice.rtmp}/vip/show`, clip, { loop: true });
    const url = `${sluice.http}/vip/show.m3u8`;
    expect((await fetch(url)).status).toBe(401);
    const { query } = (await api<{ query: string }>(sluice, 'POST', '/api/v2/tokens', { path: 'vip/show' })).body;
    const viewer = new HlsViewer(`${url}${query}`);
    await until('it plays', () => viewer.samples.length > 50);
    expect(viewer.segments.every((segment) => segment.url.includes('session='))).toBe(true);
    await viewer.leave();
    await encoder.stop();
  });

  it('takes changes of the configuration', async () => {
    await api(sluice, 'PATCH', '/api/v2/config', { 'http.trustedProxies': ['127.0.0.1'] });
    const seen = async () => {
      const response = await fetch(`${sluice.http}/live/show.m3u8`, {
        headers: { 'X-Forwarded-For': '203.0.113.9', 'User-Agent': `agent-${performance.now()}` },
      });
      await response.body?.cancel();
      return (await sessions()).some(({ ip }) => ip === '203.0.113.9');
    };
    await until('workers believe the proxy', seen);
    await api(sluice, 'DELETE', '/api/v2/config/http.trustedProxies');
  });

  it('ends a viewer in a worker by its id', async () => {
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    await until('it plays', () => viewer.samples.length > 0);
    const session = (await sessions()).find(({ protocol }) => protocol === 'http-flv');
    await api(sluice, 'DELETE', `/api/v2/sessions/${session?.id}`);
    await until('it is ended', () => viewer.ended);
    await until('its session is closed', async () =>
      (await sessions()).every(({ protocol }) => protocol !== 'http-flv'),
    );
  });

  it('answers what only the main process has on connections that are a worker’s', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    const ask = (path: string) => insecure(`${sluice.https}${path}`, agent);
    const playlist = await ask('/live/show.m3u8');
    expect([playlist.status, playlist.text.slice(0, 7)]).toEqual([200, '#EXTM3U']);
    const status = await ask('/status/streams');
    expect(status.text).toContain('"live/show"');
    expect((await ask('/live/show.jpg')).status).toBe(200);
    expect((await ask('/live/nobody.m3u8')).status).toBe(404);
    expect((await ask('/')).text).toContain('<html');
    agent.destroy();
  });

  it('counts all sessions against one limit', async () => {
    const patch = (values: object) => api(sluice, 'PATCH', '/api/v2/config', values);
    const before = await sessions();
    expect((await patch({ 'sessions.total': before.length + 1 })).status).toBe(200);
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    await expect(httpFlvViewer(`${sluice.http}/live/show.flv`)).rejects.toThrow('HTTP 429');
    await viewer.leave();
    await api(sluice, 'DELETE', '/api/v2/config/sessions.total');
  });

  it('loses with a worker only the viewers that it had, and has it back for them', async () => {
    const play = () => httpFlvViewer(`${sluice.http}/live/show.flv`);
    // Both have two, whoever had fewer before: connections go where there are the fewest.
    const viewers = await Promise.all([play(), play(), play(), play()]);
    await until('they play', () => viewers.every(({ samples }) => samples.length > 5));
    const [victim] = sluice.server.workers;
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    const killedAt = performance.now();
    await until('somebody is lost', () => viewers.some(({ ended }) => ended));
    const lost = viewers.filter(({ ended }) => ended);
    const again = await Promise.all(lost.map(play));
    await until('those who were lost play again', () => again.every(({ samples }) => samples.length > 0));
    expect(performance.now() - killedAt).toBeLessThan(3000);
    const others = viewers.filter((viewer) => !lost.includes(viewer));
    expect(others.length).toBeGreaterThan(0);
    const seen = others.map(({ samples }) => samples.length);
    await until('the others go on', () => others.every(({ samples }, at) => samples.length > (seen[at] ?? 0) + 25));
    for (const { samples, ended } of others) {
      expect(ended).toBe(false);
      expect(gapsIn(samples)).toEqual([]);
    }
    await until('the worker is back', () => sluice.server.workers.every(({ state }) => state === 'ready'));
    expect(sluice.server.workers.map(({ restarts }) => restarts)).toEqual([1, 0]);
    await until('no session of a viewer that was lost is left', async () => {
      const plays = (await sessions()).filter(({ protocol }) => protocol === 'http-flv');
      return plays.length === others.length + again.length;
    });
    await Promise.all([...others, ...again].map((viewer) => viewer.leave()));
  });
});

describe('workers of a server in a process of its own', () => {
  interface Row {
    readonly id: number;
    readonly pid: number;
    readonly sessions: number;
    readonly state: string;
    readonly restarts: number;
  }
  const workersOf = async (server: ServerProcess) => {
    const response = await fetch(`http://127.0.0.1:${server.ports.api}/api/v2/cluster`);
    return ((await response.json()) as { workers: Row[] }).workers;
  };

  it('go on counting segments where one that is gone left off, and end with the main process however it ends', async () => {
    const server = await ServerProcess.start({ SLUICE_WORKERS: '2', SLUICE_HLS_SEGMENT_SECONDS: '1' });
    const clip = await makeClip('h264', 2);
    const publisher = await ClipPublisher.start(`rtmp://127.0.0.1:${server.ports.rtmp}/live/show`, clip, {
      loop: true,
    });
    const url = `http://127.0.0.1:${server.ports.http}/live/show.m3u8`;
    const playlist = async () => {
      const text = await fetch(url).then(
        (response) => (response.ok ? response.text() : undefined),
        () => undefined,
      );
      return text === undefined ? undefined : parsePlaylist(text, url);
    };
    let seen = -1;
    const follow = async (to: number) => {
      await until('the playlist goes on', async () => {
        const now = await playlist();
        if (now === undefined) return false;
        const last = now.mediaSequence + now.segments.length - 1;
        expect(last).toBeGreaterThanOrEqual(seen);
        seen = last;
        return seen >= to;
      });
    };
    await follow(2);
    const serving = (await workersOf(server)).find((worker) => worker.sessions > 0);
    process.kill(serving?.pid ?? 0, 'SIGKILL');
    await follow(seen + 1);
    await until('it is back', async () => (await workersOf(server)).every(({ state }) => state === 'ready'));
    await follow(seen + 1);
    const workers = await workersOf(server);
    expect(workers.map(({ restarts }) => restarts).sort()).toEqual([0, 1]);
    const metrics = await (await fetch(`http://127.0.0.1:${server.ports.api}/metrics`)).text();
    expect(metrics).toContain(`sluice_worker_restarts_total{worker="${serving?.id}"} 1`);
    publisher.kill();
    await server.crash();
    await until('workers are gone with it', () => workers.every(({ pid }) => !isThere(pid)));
    await server.stop();
  });
});

describe.runIf(IS_LONG)('one of two workers killed under 1,000 viewers', () => {
  it('costs its own three seconds, and the others not a picture', { timeout: 180_000 }, async () => {
    const server = await ServerProcess.start({ SLUICE_WORKERS: '2' });
    const { rtmp, http, api: control } = server.ports;
    const clip = await makeClip('h264', 2, { bitrate: 100_000 });
    const publisher = await ClipPublisher.start(`rtmp://127.0.0.1:${rtmp}/live/show`, clip, { loop: true });
    const viewers: MeteredViewer[] = [];
    while (viewers.length < 1000) {
      for (let some = 0; some < 20; some++) viewers.push(new MeteredViewer(`http://127.0.0.1:${http}/live/show.flv`));
      await until('these play', () => viewers.every(({ pictures }) => pictures > 0), 60_000);
    }
    const response = await fetch(`http://127.0.0.1:${control}/api/v2/cluster`);
    const [victim] = ((await response.json()) as { workers: { pid: number }[] }).workers;
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    const killedAt = performance.now();
    const lost = new Set<MeteredViewer>();
    const rejoin = () => {
      for (const viewer of viewers) {
        if (!viewer.ended) continue;
        lost.add(viewer);
        viewer.again();
      }
    };
    await until('all who were lost play again', () => {
      rejoin();
      return lost.size >= 500 && [...lost].every(({ pictures }) => pictures > 0);
    });
    const seconds = (performance.now() - killedAt) / 1000;
    expect(seconds).toBeLessThan(3);
    expect(lost.size).toBe(500);
    const others = viewers.filter((viewer) => !lost.has(viewer));
    const seen = others.map(({ pictures }) => pictures);
    await until('the others go on', () => others.every(({ pictures }, at) => pictures > (seen[at] ?? 0) + 50), 60_000);
    expect(others.filter(({ missing, ended }) => missing > 0 || ended)).toEqual([]);
    for (const viewer of viewers) viewer.leave();
    publisher.kill();
    await server.stop();
  });
});

describe.runIf(IS_LONG)('nodes that have workers', () => {
  it('play each other’s streams there, and send their viewers on when they are drained', async () => {
    const nats = await NatsServer.start();
    const workers = { SLUICE_WORKERS: '1', SLUICE_HLS_SEGMENT_SECONDS: '1', SLUICE_API_OPEN_READS: 'always' };
    const a = await startNode(2, nats.url, workers);
    const token = 'an-api-token-for-the-drain';
    const b = await startNode(3, nats.url, { ...workers, SLUICE_API_TOKEN: token, SLUICE_DRAIN_REDIRECT: a.http });
    const publisher = await ClipPublisher.start(`${a.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const workerSessions = async ({ api: base }: { api: string }) => {
      const answer = (await (await fetch(`${base}/api/v2/cluster`)).json()) as { workers: { sessions: number }[] };
      return answer.workers[0]?.sessions;
    };
    let viewer = await httpFlvViewer(`${b.http}/live/show.flv`).catch(() => undefined);
    await until('the stream is there', async () => {
      viewer ??= await httpFlvViewer(`${b.http}/live/show.flv`).catch(() => undefined);
      return viewer !== undefined && viewer.samples.length > 50;
    });
    expect(gapsIn(viewer?.samples ?? [])).toEqual([]);
    expect(await workerSessions(b)).toBe(1);
    await fetch(`${b.api}/api/v2/drain`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
    const sentOn = await fetch(`${b.http}/live/show.m3u8`, { redirect: 'manual' });
    expect([sentOn.status, sentOn.headers.get('location')]).toEqual([307, `${a.http}/live/show.m3u8`]);
    await until('its viewer has been let go', () => viewer?.ended === true, 30_000);
    await publisher.stop();
    await Promise.all([a.process.stop(), b.process.stop()]);
    await nats.stop();
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Where pictures are missing, by the times of those that are there: 25 a second. */
function gapsIn(samples: readonly Sample[]): number[] {
  const times = samples.filter(({ kind }) => kind === 'video').map(({ dts }) => dts / 1000);
  return times.filter((time, at) => at > 0 && time - (times[at - 1] ?? 0) > 60);
}

const NO_AGENT = new Agent({ rejectUnauthorized: false });

/** Asks a server by HTTP, or by HTTPS, whoever signed its certificate. */
function insecure(url: string, agent: Agent = NO_AGENT): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const receive = (response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    };
    const asked = url.startsWith('https:') ? getTls(url, { agent }, receive) : get(url, { agent: false }, receive);
    asked.on('error', reject);
  });
}
