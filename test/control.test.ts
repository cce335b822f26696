import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SRS_ANSWERS } from '@sluice/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, httpFlvViewer, rtmpViewer, type TestViewer } from './support/viewers.js';

const DASHBOARD = fileURLToPath(new URL('../docs/grafana/sluice.json', import.meta.url));

describe('the control plane', () => {
  let sluice: TestServer;
  let publisher: ClipPublisher;
  let viewers: TestViewer[] = [];
  beforeAll(async () => {
    sluice = await startServer('hls: { segmentSeconds: 1 }\nmetrics: { perStream: true, maxStreams: 1 }');
    const clip = await makeClip('h264', 2);
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show?secret=Not4Logs`, clip, { loop: true });
    viewers = [
      await rtmpViewer(`${sluice.rtmp}/live/show`),
      await httpFlvViewer(`${sluice.http}/live/show.flv`),
      new HlsViewer(`${sluice.http}/live/show.m3u8`),
    ];
    await until('all play', () => viewers.every(({ samples }) => samples.length > 0));
  });
  afterAll(async () => {
    for (const viewer of viewers) await viewer.leave().catch(() => undefined);
    await publisher.stop();
    await sluice.stop();
  });

  /** An answer of SRS's routes, checked against its schema. */
  async function srs<K extends keyof typeof SRS_ANSWERS>(
    name: K,
    path: string,
  ): Promise<z.output<(typeof SRS_ANSWERS)[K]>> {
    const { status, body } = await api(sluice, 'GET', `/api/v1/${path}`, undefined, {});
    expect(status).toBe(200);
    return SRS_ANSWERS[name].parse(body) as z.output<(typeof SRS_ANSWERS)[K]>;
  }

  it('answers as tools written for SRS read it', async () => {
    const { pid, data } = await srs('versions', 'versions');
    expect([pid, data.version]).toEqual([String(process.pid), `${data.major}.${data.minor}.${data.revision}`]);
    expect((await api(sluice, 'POST', '/api/v1/versions', undefined, {})).body).toMatchObject({ code: 0 });
    const { streams } = await srs('streams', 'streams/');
    expect(streams).toMatchObject([
      {
        name: 'show',
        app: 'live',
        url: '/live/show',
        clients: 4,
        publish: { active: true },
        video: { codec: 'H264', width: 320, height: 180 },
        audio: { codec: 'AAC', sample_rate: 48_000 },
      },
    ]);
    const [stream] = streams;
    if (stream === undefined) throw new Error('no stream');
    expect(stream.frames).toBe(stream.video_frames + stream.audio_frames);
    expect(stream.video_frames).toBeGreaterThan(0);
    expect(stream.recv_bytes).toBeGreaterThan(10_000);
    expect(stream.send_bytes).toBeGreaterThan(stream.recv_bytes);
    expect(stream.tcUrl).not.toContain('?');
    expect((await srs('stream', `streams/${stream.id}`)).stream.id).toBe(stream.id);
    const { clients } = await srs('clients', 'clients?count=100');
    expect(clients.map(({ type }) => type).sort()).toEqual(['flv-play', 'fmle-publish', 'hls-play', 'rtmp-play']);
    expect(clients.every((client) => client.stream === stream.id && client.ip === '127.0.0.1')).toBe(true);
    expect(clients.find(({ publish }) => publish)?.id).toBe(stream.publish.cid);
    expect((await srs('clients', 'clients?start=1&count=2')).clients).toHaveLength(2);
    const { vhosts } = await srs('vhosts', 'vhosts');
    expect(vhosts).toMatchObject([
      { name: '__defaultVhost__', clients: 4, streams: 1, hls: { enabled: true, fragment: 1 } },
    ]);
    expect((await srs('vhost', `vhosts/${stream.vhost}`)).vhost.id).toBe(stream.vhost);
    const { data: summary } = await srs('summaries', 'summaries');
    expect(summary.self.mem_kbyte).toBeGreaterThan(10_000);
    expect(summary.system.conn_srs).toBe(4);
    const ABOUT_THE_MACHINE = [
      'rusages',
      'self_proc_stats',
      'system_proc_stats',
      'meminfos',
      'authors',
      'features',
      'clusters',
    ] as const;
    for (const path of ABOUT_THE_MACHINE) expect(await srs(path, path)).toMatchObject({ code: 0, data: {} });
  });

  it.each([
    ['streams/none', 2048],
    ['clients/none', 2049],
    ['vhosts/none', 2014],
  ])('answers %s with code %i, as SRS does', async (path, code) => {
    expect(await api(sluice, 'GET', `/api/v1/${path}`, undefined, {})).toEqual({ status: 200, body: { code } });
  });

  it('lets nobody change anything without a credential, and never speaks JSONP', async () => {
    const { clients } = await srs('clients', 'clients');
    for (const [method, path] of [
      ['DELETE', `/api/v1/clients/${clients[0]?.id}`],
      ['GET', '/api/v1/raw?rpc=reload'],
      ['DELETE', '/api/v2/streams/live/show'],
      ['POST', '/api/v2/bans'],
      ['GET', '/api/v2/config'],
    ] as const) {
      expect((await api(sluice, method, path, undefined, {})).status, path).toBe(401);
    }
    const response = await fetch(`${sluice.api}/api/v1/versions?callback=alert`);
    expect(await response.text()).not.toContain('alert');
    expect(response.headers.get('content-type')).toContain('application/json');
    const rebound = await rawStatus(sluice, 'evil.example');
    expect(rebound).toBe(401);
  });

  it('kicks a client by DELETE', async () => {
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    const { clients } = await srs('clients', 'clients?count=100');
    const kicked = clients.filter(({ type }) => type === 'flv-play').at(-1);
    expect((await api(sluice, 'DELETE', `/api/v1/clients/${kicked?.id}`)).body).toMatchObject({ code: 0 });
    await until('it is cut', () => viewer.ended, 1000);
    expect((await api(sluice, 'DELETE', `/api/v1/clients/${kicked?.id}`)).body).toEqual({ code: 2049 });
    expect((await api(sluice, 'GET', '/api/v1/raw?rpc=reload')).body).toMatchObject({ code: 0 });
    const kicks = async () =>
      (await api<{ entries: object[] }>(sluice, 'GET', '/api/v2/audit?action=session.kick')).body.entries;
    await until('both are in the audit log', async () => (await kicks()).length === 2);
    expect(await kicks()).toMatchObject([
      { result: 'failed' },
      { actor: 'api-token', target: kicked?.id, result: 'ok' },
    ]);
  });

  const metrics = async (): Promise<string> => (await fetch(`${sluice.api}/metrics`)).text();
  const value = (text: string, series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1),
    );

  it('tells Prometheus how it is', async () => {
    await fetch(`${sluice.http}/live/bad%20name.flv`);
    const text = await metrics();
    expect(value(text, 'sluice_streams{state="live"}')).toBe(1);
    expect(value(text, 'sluice_sessions{protocol="rtmp",action="publish"}')).toBe(1);
    expect(value(text, 'sluice_sessions{protocol="hls",action="play"}')).toBe(1);
    expect(
      value(text, 'sluice_session_bytes_total{protocol="http-flv",action="play",direction="out"}'),
    ).toBeGreaterThan(1000);
    expect(value(text, 'sluice_requests_refused_total{protocol="http-flv",action="play",reason="bad-name"}')).toBe(1);
    expect(value(text, 'sluice_frames_received_total')).toBeGreaterThan(10);
    expect(value(text, 'sluice_stream_viewers{path="live/show"}')).toBe(3);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    expect(text).not.toContain('Not4Logs');
  });

  it('keeps the number of series bounded', async () => {
    const clip = await makeClip('none', 1);
    const more = await Promise.all(
      ['a', 'b', 'c'].map((name) => ClipPublisher.start(`${sluice.rtmp}/more/${name}`, clip, { loop: true })),
    );
    await until('they are live', async () => value(await metrics(), 'sluice_streams{state="live"}') === 4);
    const paths = [...(await metrics()).matchAll(/^sluice_stream_viewers\{path="([^"]+)"\}/gm)].map(([, path]) => path);
    expect(paths).toEqual(['live/show', 'other']);
    for (const one of more) await one.stop();
  });

  it('has a dashboard that asks for nothing that it does not tell', async () => {
    const told = new Set([...(await metrics()).matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name = '']) => name));
    const asked = [...(await readFile(DASHBOARD, 'utf8')).matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].flatMap(
      ([, expr = '']) =>
        [...expr.matchAll(/\b(sluice_\w+|nodejs_\w+|process_\w+)\b/g)].map(([, name = '']) =>
          name.replace(/_(bucket|sum|count)$/, ''),
        ),
    );
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.filter((name) => !told.has(name))).toEqual([]);
  });

  it('tells what it takes of the machine, and how much room there is', async () => {
    const { body } = await api<{ load: object; disks: object[] }>(sluice, 'GET', '/api/v2/server');
    expect(body).toMatchObject({
      pid: process.pid,
      load: { cores: expect.any(Number), processMemoryBytes: expect.any(Number) },
      disks: [
        { use: 'data', path: expect.stringMatching(/^\//), freeBytes: expect.any(Number) },
        { use: 'recordings', path: expect.stringMatching(/recordings$/), totalBytes: expect.any(Number) },
      ],
    });
    const open = (await api<{ disks: object[] }>(sluice, 'GET', '/api/v2/server', undefined, {})).body;
    expect(open.disks).toMatchObject([{ path: null }, { path: null }]);
  });

  it('says what meetings could be captured with', async () => {
    const { body } = await api<{ missing: { what: string }[] }>(sluice, 'GET', '/api/v2/bbb');
    expect(body).toMatchObject({ profiles: ['default'], targets: [], maxCaptures: 2 });
    expect(body.missing).toContainEqual({ what: 'server', detail: expect.stringContaining('bbb.url is not set') });
    expect((await api(sluice, 'GET', '/api/v2/bbb/captures/x/log')).status).toBe(404);
  });

  it('is alive and ready', async () => {
    expect(await (await fetch(`${sluice.api}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${sluice.api}/readyz`)).json()).toEqual({ status: 'ok', problems: [] });
  });
});

/** Asks with a Host header of its own, which fetch would not send. */
async function rawStatus({ api: base }: TestServer, host: string): Promise<number> {
  const url = `${base}/api/v1/clients`;
  const { stdout } = await promisify(execFile)('curl', [
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    '-H',
    `Host: ${host}`,
    url,
  ]);
  return Number(stdout);
}
