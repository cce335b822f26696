import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer, rtmpViewer } from './support/viewers.js';

interface Told {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A server outside that keeps what it is told and answers as it is told to. */
class Outside {
  readonly told: Told[] = [];
  readonly url: string;
  answer: (told: Told) => string | number = () => '0';
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const told = { path: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) as Told['body'] };
      this.told.push(told);
      const answer = this.answer(told);
      if (typeof answer === 'number') response.writeHead(answer).end();
      else response.end(answer);
    });
  }

  static async start(): Promise<Outside> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new Outside(server);
  }

  of(action: string): Told['body'][] {
    return this.told.filter(({ body }) => body.action === action).map(({ body }) => body);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

describe('servers outside', () => {
  let sluice: TestServer;
  let outside: Outside;
  afterEach(async () => {
    await sluice.stop();
    await outside.close();
  });

  it('that are written for SRS are asked with its bodies, and what they answer is what happens', async () => {
    outside = await Outside.start();
    const hooks = ['onConnect', 'onPublish', 'onPlay', 'onClose', 'onUnpublish', 'onStop', 'onHls'];
    const urls = hooks.map((hook) => `${hook}: ["${outside.url}/${hook}"]`);
    sluice = await startServer(`
      callbacks: { ${urls.join(', ')} }
      hls: { segmentSeconds: 1 }
      publish: { graceSeconds: 0 }
      viewers: { waitForStreamSeconds: 0 }`);
    outside.answer = ({ body }) => (String(body.param).includes('refuse') ? '{"code":1}' : '{"code":0}');
    const clip = await makeClip('h264', 2);
    const start = (query: string) => ClipPublisher.start(`${sluice.rtmp}/live/show${query}`, clip, { loop: true });
    await expect(start('?refuse=1')).rejects.toMatchObject({ code: 'refused' });
    const publisher = await start('?token=abc');
    const common = {
      server_id: expect.stringMatching(/^vid-/),
      service_id: expect.any(String),
      client_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      ip: '127.0.0.1',
      vhost: '__defaultVhost__',
      app: 'live',
    };
    const tcUrl = `rtmp://127.0.0.1:${sluice.server.ports.rtmp}/live`;
    const place = { stream_url: '/live/show', stream_id: expect.stringMatching(/^vid-[a-z0-9]{7}$/) };
    expect(outside.of('on_connect').at(-1)).toMatchObject({ ...common, action: 'on_connect', tcUrl });
    const published = { ...common, action: 'on_publish', tcUrl, stream: 'show', param: '?token=abc', ...place };
    expect(outside.of('on_publish').at(-1)).toEqual(published);

    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv?x=1`);
    await until('it plays', () => viewer.samples.length > 0);
    expect(outside.of('on_play').at(-1)).toMatchObject({
      ...common,
      stream: 'show',
      param: '?x=1',
      pageUrl: '',
      ...place,
    });
    const refused = await fetch(`${sluice.http}/live/show.flv?refuse=1`);
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'callback-refused' } }]);
    await expect(rtmpViewer(`${sluice.rtmp}/live/show?refuse=1`)).rejects.toMatchObject({ code: 'refused' });

    await (await fetch(`${sluice.http}/live/show.m3u8`)).text();
    await until('it hears of a segment', () => outside.of('on_hls').length > 0);
    const { m3u8_url: playlist, url } = outside.of('on_hls')[0] ?? {};
    expect(playlist).toBe('/live/show.m3u8');
    expect((await fetch(`${sluice.http}${url}`)).status).toBe(200);

    await viewer.leave();
    await until('it hears that the viewer is gone', () => outside.of('on_stop').length > 0);
    const [play] = outside.of('on_play').filter(({ param }) => param === '?x=1');
    expect(outside.of('on_stop').map(({ client_id }) => client_id)).toContain(play?.client_id);
    await publisher.stop();
    await until('it hears that the encoder is gone', () =>
      outside.of('on_unpublish').some(({ client_id }) => client_id === outside.of('on_publish').at(-1)?.client_id),
    );
    expect(outside.of('on_unpublish').at(-1)).toEqual({ ...published, action: 'on_unpublish' });
    const closed = outside.of('on_close').at(-1);
    expect(closed).toMatchObject({ ...common, recv_bytes: expect.any(Number), send_bytes: expect.any(Number) });
  });

  it('are told of what happened while they were away, after a restart too', async () => {
    outside = await Outside.start();
    const dataDirectory = await mkdtemp(join(tmpdir(), 'sluice-outbox-'));
    const config = `callbacks: { onStop: ["${outside.url}/told"] }\nviewers: { waitForStreamSeconds: 0 }`;
    outside.answer = () => 503;
    sluice = await startServer(config, {}, { dataDirectory });
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    await viewer.leave();
    await until('it was tried in vain', () => outside.of('on_stop').length > 0);
    await publisher.stop();
    await sluice.stop();
    const before = outside.told.length;
    outside.answer = () => '0';
    sluice = await startServer(config, {}, { dataDirectory });
    await until('it is told', () => outside.told.length > before);
    expect(outside.of('on_stop').at(-1)).toEqual(outside.of('on_stop')[0]);
    await sluice.stop();
    await rm(dataDirectory, { recursive: true });
  });

  it('that do not answer let nobody in', async () => {
    outside = await Outside.start();
    sluice = await startServer(`callbacks: { onPlay: ["${outside.url}/"], timeoutMs: 200 }`);
    const watch = async () => (await fetch(`${sluice.http}/live/show.m3u8`)).status;
    for (const answer of ['', '1', 'yes', '{"code":"0"}', 500, 302]) {
      outside.answer = () => answer;
      expect([403, 503], String(answer)).toContain(await watch());
    }
    outside.answer = () => '0';
    expect(await watch()).toBe(404);
    await outside.close();
    expect(await watch()).toBe(503);
    outside = await Outside.start();
  });

  it('that know the users decide who watches', async () => {
    outside = await Outside.start();
    outside.answer = ({ body }) => (body.user === 'anna' && body.password === 'Not4Logs' ? 204 : 401);
    sluice = await startServer(`
      access: { play: credential }
      viewers: { waitForStreamSeconds: 0 }
      auth: { http: { url: "${outside.url}/auth" } }`);
    const watch = async (query: string) => (await fetch(`${sluice.http}/live/show.m3u8${query}`)).status;
    expect(await watch('?user=anna&pass=Not4Logs')).toBe(404);
    expect(await watch('?user=anna&pass=wrong')).toBe(401);
    expect(await watch('')).toBe(401);
    expect(outside.told[0]?.body).toMatchObject({
      user: 'anna',
      password: 'Not4Logs',
      ip: '127.0.0.1',
      action: 'read',
      path: 'live/show',
      protocol: 'hls',
    });
  });

  it('that sell the show hear who watches, and cut off an account that is shared from two addresses', async () => {
    outside = await Outside.start();
    sluice = await startServer(`
      http: { trustedProxies: [127.0.0.1] }
      sync: { url: "${outside.url}/sync", intervalSeconds: 1, secret: "sync secret Not4Logs" }`);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const ticket = async (viewer: string): Promise<string> => {
      const made = await api<{ query: string }>(sluice, 'POST', '/api/v2/tokens', { path: 'live/*', viewer });
      return `${sluice.http}/live/show.flv${made.body.query}`;
    };
    outside.answer = ({ body }) => {
      const places = new Map<string, Set<string>>();
      for (const [, id = '', ip = ''] of JSON.stringify(body).matchAll(/"id":"([^"]+)","ip":"([^"]+)"/g)) {
        places.set(id, (places.get(id) ?? new Set()).add(ip));
      }
      const shared = [...places].filter(([, ips]) => ips.size > 1).map(([id]) => id);
      return JSON.stringify({ deny: { ids: shared }, ttlSeconds: 60 });
    };
    const [annas, berts] = [await ticket('anna'), await ticket('bert')];
    const from = (ip: string) => ({ headers: { 'X-Forwarded-For': ip } });
    const home = await fetch(annas, from('198.51.100.1'));
    const alone = await httpFlvViewer(berts);
    await until(
      'the sync tells of both',
      () => /"anna"/.test(JSON.stringify(outside.told)) && /"bert"/.test(JSON.stringify(outside.told)),
    );
    const friend = await fetch(annas, from('203.0.113.9'));
    expect([home.status, friend.status]).toEqual([200, 200]);
    const over = async (response: Response) => {
      for await (const chunk of response.body ?? []) void chunk;
    };
    await Promise.allSettled([over(home), over(friend)]);
    expect((await fetch(annas, from('198.51.100.1'))).status).toBe(403);
    const before = alone.samples.length;
    await until('the other one watches on', () => alone.samples.length > before + 10);
    await alone.leave();
    await publisher.stop();
  });

  it('are not needed to find a shared account', async () => {
    outside = await Outside.start();
    sluice = await startServer(`
      http: { trustedProxies: [127.0.0.1] }
      sharing: { policy: cut-newest, maxAddresses: 2 }`);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const { body } = await api<{ query: string }>(sluice, 'POST', '/api/v2/tokens', { path: 'live/*', viewer: 'anna' });
    const watch = async (ip: string) => {
      const gone = new AbortController();
      const headers = { 'X-Forwarded-For': ip };
      const response = await fetch(`${sluice.http}/live/show.flv${body.query}`, { headers, signal: gone.signal });
      const state = { ended: false, leave: () => gone.abort() };
      void (async () => {
        for await (const chunk of response.body ?? []) void chunk;
      })()
        .catch(() => undefined)
        .finally(() => {
          state.ended = true;
        });
      return state;
    };
    const [one, two] = [await watch('198.51.100.1'), await watch('198.51.100.2')];
    const three = await watch('198.51.100.3');
    await until('the third is cut', () => three.ended);
    expect([one.ended, two.ended]).toEqual([false, false]);
    one.leave();
    two.leave();
    await publisher.stop();
  });
});
