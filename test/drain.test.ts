import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RtmpClient, type RtmpError } from '@sluice/rtmp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { type Outcome, runSluice } from './support/command.js';
import { ClipPublisher } from './support/publisher.js';
import { recordedFiles } from './support/recordings.js';
import { API_TOKEN, startServer, type TestServer } from './support/server.js';
import { ServerProcess } from './support/server-process.js';
import { until } from './support/until.js';
import { httpFlvViewer, rtmpViewer, type TestViewer } from './support/viewers.js';

/** What RTMP answers to who asks for something. */
async function refusalOf(url: string, act: 'publish' | 'play'): Promise<RtmpError> {
  const client = await RtmpClient.connect(url);
  try {
    await (act === 'publish' ? client.publish() : client.play(() => undefined));
  } catch (error) {
    return error as RtmpError;
  } finally {
    client.destroy();
  }
  throw new Error(`${url} was granted`);
}

describe('a server that is drained', () => {
  let directory: string;
  let other: TestServer;
  let sluice: ServerProcess;
  let publisher: ClipPublisher;
  let viewers: TestViewer[];
  let command: Promise<Outcome>;
  const reconnects: (string | undefined)[] = [];
  const urls = { http: '', rtmp: '', api: '' };
  const environment = (): Record<string, string> => ({
    SLUICE_DATA_DIR: directory,
    SLUICE_API_TOKEN: API_TOKEN,
    SLUICE_RECORDING_ENABLED: 'true',
    SLUICE_HLS_SEGMENT_SECONDS: '1',
    SLUICE_HLS_SEGMENTS: '100',
    SLUICE_DRAIN_REDIRECT: `${other.http},${other.rtmp}`,
  });
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-drain-'));
    other = await startServer();
    sluice = await ServerProcess.start(environment(), directory);
    for (const scheme of ['http', 'rtmp'] as const) urls[scheme] = `${scheme}://127.0.0.1:${sluice.ports[scheme]}`;
    urls.api = `http://127.0.0.1:${sluice.ports.api}`;
    publisher = await ClipPublisher.start(`${urls.rtmp}/live/show`, await makeClip('h264', 2), {
      loop: true,
      onReconnectRequest: (tcUrl) => reconnects.push(tcUrl),
    });
    viewers = [await rtmpViewer(`${urls.rtmp}/live/show`), await httpFlvViewer(`${urls.http}/live/show.flv`)];
    await until('all play', () => viewers.every(({ samples }) => samples.length > 0));
  });
  afterAll(async () => {
    await publisher.stop();
    await sluice.stop();
    await other.stop();
    await rm(directory, { recursive: true });
  });

  const ask = (path: string, init: RequestInit = {}) => fetch(`${urls.http}${path}`, { redirect: 'manual', ...init });
  const told = async (path: string, init?: RequestInit) => {
    const { status, headers } = await ask(path, init);
    return [status, headers.get('location')];
  };

  it('sends everybody who comes to another one, on every protocol that has a word for it', async () => {
    const playlist = await (await ask('/live/show.m3u8')).text();
    const segment = playlist.split('\n').find((line) => line.startsWith('show/hls/')) ?? 'none';
    command = runSluice(['drain', '--server', urls.api, '--viewers', '1s', '--publishers', '60s'], {
      SLUICE_API_TOKEN: API_TOKEN,
    });
    const ready = async () => fetch(`${urls.api}/readyz`);
    await until('it is told to load balancers', async () => (await ready()).status === 503, 45_000);
    expect(await (await ready()).json()).toMatchObject({ problems: [expect.stringContaining('drained')] });
    expect(await told('/live/show.flv?key=abc')).toEqual([307, `${other.http}/live/show.flv?key=abc`]);
    expect(await told('/live/show.m3u8?_HLS_msn=7&_HLS_part=1&a=b')).toEqual([307, `${other.http}/live/show.m3u8?a=b`]);
    expect(await told('/live/show.mpd')).toEqual([307, `${other.http}/live/show.mpd`]);
    expect(await told('/whep/live/show', { method: 'POST', body: 'v=0' })).toEqual([
      307,
      `${other.http}/whep/live/show`,
    ]);
    expect(await told('/whip/live/new', { method: 'POST', body: 'v=0' })).toEqual([307, `${other.http}/whip/live/new`]);
    expect((await told(`/live/${segment}`))[0]).toBe(200);
    const refused = await refusalOf(`${urls.rtmp}/live/new?key=abc`, 'publish');
    expect(refused).toMatchObject({ code: 'refused', redirect: `${other.rtmp}/live/new?key=abc` });
    expect(refused.message).toContain('NetConnection.Connect.Rejected');
    expect((await refusalOf(`${urls.rtmp}/live/show`, 'play')).redirect).toBe(`${other.rtmp}/live/show`);
  });

  it('hands on those who are there: viewers first, then publishers', async () => {
    expect(reconnects).toEqual([`${other.rtmp}/live`]);
    await until('the viewers are gone', () => viewers.every(({ ended }) => ended), 5000);
    const { body } = await api(urls, 'GET', '/api/v2/drain');
    expect(body).toMatchObject({ state: 'draining', by: 'api-token', publishers: 1, viewers: 0 });
    expect((await api(urls, 'POST', '/api/v2/drain', {})).body).toMatchObject({ since: body.since });
  });

  it('ends with success when all are gone, its recordings finished', async () => {
    await publisher.stop();
    const { code, stdout } = await command;
    expect(stdout).toMatch(/draining: 1 publishers, \d viewers.*\n[\s\S]*it has ended\n/);
    expect([code, await sluice.exited]).toEqual([0, 0]);
    const again = await ServerProcess.start({ ...environment(), SLUICE_RECORDING_ENABLED: 'false' }, directory);
    try {
      const files = await recordedFiles({ api: `http://127.0.0.1:${again.ports.api}` }, 'live/show');
      expect(files).toMatchObject([{ state: 'ready' }]);
    } finally {
      await again.stop();
    }
  });
});
