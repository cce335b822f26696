import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sample } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeTestCertificate } from './support/certificate.js';
import { makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, httpFlvViewer, rtmpViewer, type TestViewer, webSocketViewer } from './support/viewers.js';

interface SessionRow {
  readonly id: string;
  readonly protocol: string;
  readonly action: string;
  readonly sent: number;
}

describe('a server with two workers', () => {
  let directory: string;
  let sluice: TestServer;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-workers-'));
    const { certFile, keyFile } = await makeTestCertificate(directory);
    sluice = await startServer(
      `{ workers: 2, tls: { certFile: ${certFile}, keyFile: ${keyFile} }, hls: { segmentSeconds: 1 } }`,
    );
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
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
    const ask = (path: string) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        get(`${sluice.https}${path}`, { agent }, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        }).on('error', reject);
      });
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
      const plays = (await sessions()).filter(({ action }) => action === 'play');
      return plays.length === others.length + again.length;
    });
    await Promise.all([...others, ...again].map((viewer) => viewer.leave()));
  });
});

/** Where pictures are missing, by the times of those that are there: 25 a second. */
function gapsIn(samples: readonly Sample[]): number[] {
  const times = samples.filter(({ kind }) => kind === 'video').map(({ dts }) => dts / 1000);
  return times.filter((time, at) => at > 0 && time - (times[at - 1] ?? 0) > 60);
}
