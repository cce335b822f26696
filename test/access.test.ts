import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RtmpClient } from '@sluice/rtmp';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { type Clip, makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, httpFlvViewer, rtmpViewer, type TestViewer, webSocketViewer } from './support/viewers.js';

const JWT_SECRET = `a shared secret of the tests ${SECRET_MARK}`;
const WMS_KEY = `wms-${SECRET_MARK}`;
const PASSWORD = `pass-word-${SECRET_MARK}`;
/** Loopback counts as an address of its own, so that tests can come from somewhere else. */
const PROXIED = 'http: { trustedProxies: [127.0.0.1] }';

const CLOSED = `
  access: { publish: credential, play: credential }
  paths: { "open/*": { access: { publish: open, play: open } } }
  hls: { segmentSeconds: 1 }
  viewers: { waitForStreamSeconds: 0 }
  auth: { failuresPerMinute: 100000, wmsAuth: { key: ${WMS_KEY} } }
  ${PROXIED}`;

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

interface Made {
  readonly key?: string;
  readonly query?: string;
}

describe('who may publish and watch', () => {
  let sluice: TestServer;
  let clip: Clip;
  let publisher: ClipPublisher;
  let directory: string;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  /** By kind of credential, what goes behind the URL to publish and to watch. */
  const good: Record<string, { publish: string; play: string }> = {};

  const token = (over: object = {}) =>
    new SignJWT({ actions: ['publish', 'play'], paths: ['live/*'], sub: 'anna', exp: inSeconds(3600), ...over })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(JWT_SECRET));
  const sign = async (over: object = {}): Promise<string> =>
    (await api<Made>(sluice, 'POST', '/api/v2/tokens', { path: 'live/*', viewer: 'anna', ...over })).body.query ?? '';
  const streamKey = async (action: string): Promise<string> =>
    `?key=${(await api<Made>(sluice, 'POST', '/api/v2/stream-keys', { path: 'live/*', action })).body.key}`;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-access-'));
    const publicKeyFile = join(directory, 'rsa.pem');
    await writeFile(publicKeyFile, rsa.publicKey.export({ type: 'spki', format: 'pem' }));
    sluice = await startServer(CLOSED, {
      SLUICE_AUTH_JWT_SECRET: JWT_SECRET,
      SLUICE_AUTH_JWT_PUBLIC_KEY_FILE: publicKeyFile,
    });
    clip = await makeClip('h264', 2);
    const user = { name: 'anna', password: PASSWORD, publish: ['live/*'], play: ['live/*'] };
    expect((await api(sluice, 'POST', '/api/v2/users', user)).status).toBe(201);
    const byRsa = await new SignJWT({ actions: ['publish', 'play'], paths: ['live/*'] })
      .setProtectedHeader({ alg: 'RS256' })
      .setExpirationTime('1h')
      .sign(rsa.privateKey);
    const [hs256, wms] = [`?token=${await token()}`, await sign({ kind: 'wms-auth', path: '*/*' })];
    good['stream key'] = { publish: await streamKey('publish'), play: await streamKey('play') };
    good['JWT HS256'] = { publish: hs256, play: hs256 };
    good['JWT RS256'] = { publish: `?jwt=${byRsa}`, play: `?jwt=${byRsa}` };
    good['signed URL'] = { publish: await sign({ action: 'publish' }), play: await sign() };
    good['user and password'] = { publish: `?user=anna&pass=${PASSWORD}`, play: `?user=anna&pass=${PASSWORD}` };
    good['WMSAuth token'] = { publish: '', play: wms };
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show${good['JWT HS256'].publish}`, clip, { loop: true });
  });
  afterAll(async () => {
    await publisher.stop();
    await sluice.stop();
    await rm(directory, { recursive: true });
  });

  const publish = async (query: string, path = 'live/other') => {
    const client = await RtmpClient.connect(`${sluice.rtmp}/${path}${query}`);
    await client.publish().finally(() => client.close());
  };
  const status = async (url: string, headers: Record<string, string> = {}): Promise<number> => {
    const gone = new AbortController();
    const response = await fetch(url, { signal: gone.signal, headers });
    gone.abort();
    return response.status;
  };
  const flv = (query: string, path = 'live/show') => `${sluice.http}/${path}.flv${query}`;
  const hls = (query: string, path = 'live/show') => `${sluice.http}/${path}.m3u8${query}`;
  /** How all three protocols take an attempt to watch. */
  const watch = async (query: string) => {
    const overRtmp = await rtmpViewer(`${sluice.rtmp}/live/show${query}`).then(
      async (viewer) => {
        await viewer.leave();
        return 'plays';
      },
      (error: Error) => (error.name === 'RtmpError' ? 'refused' : error.message),
    );
    return [overRtmp, await status(flv(query)), await status(hls(query))];
  };

  it('is nobody without a credential, on any protocol', async () => {
    await expect(publish('')).rejects.toMatchObject({ code: 'refused' });
    expect(await watch('')).toEqual(['refused', 401, 401]);
    await expect(webSocketViewer(`${sluice.ws}/live/show.flv`).then(ended)).resolves.toBe(true);
    expect(await status(`${sluice.http}/status/streams/live/show`)).toBe(401);
    const listed = (await (await fetch(`${sluice.http}/status/streams`)).json()) as { streams: unknown[] };
    expect(listed.streams).toEqual([]);
  });

  it.each(['stream key', 'JWT HS256', 'JWT RS256', 'signed URL', 'user and password', 'WMSAuth token'])(
    'is who shows a good %s',
    async (kind) => {
      const query = good[kind] ?? { publish: '', play: '' };
      if (query.publish !== '') await publish(query.publish);
      expect(await watch(query.play)).toEqual(['plays', 200, 200]);
      const viewer = new HlsViewer(hls(query.play));
      await until('segments come without the credential', () => viewer.samples.length > 0);
      await viewer.leave();
      const viewers: TestViewer[] = [
        await rtmpViewer(`${sluice.rtmp}/live/show${query.play}`),
        await httpFlvViewer(flv(query.play)),
        await webSocketViewer(`${sluice.ws}/live/show.flv${query.play}`),
      ];
      await until('all have pictures', () => viewers.every(({ samples }) => samples.length > 10));
      for (const one of viewers) await one.leave();
    },
  );

  it('is who shows it in the header, too', async () => {
    expect(await status(flv(''), { Authorization: `Bearer ${await token()}` })).toBe(200);
    const basic = Buffer.from(`anna:${PASSWORD}`).toString('base64');
    expect(await status(hls(''), { Authorization: `Basic ${basic}` })).toBe(200);
    expect(await status(hls(''), { Authorization: 'Basic !!!' })).toBe(401);
  });

  it.each([
    ['expired', async () => `?token=${await token({ exp: inSeconds(-60) })}`],
    ['tampered with', async () => (await sign()).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['unsigned (alg none)', async () => `?token=${new UnsecuredJWT({ actions: ['play'], paths: ['*/*'] }).encode()}`],
    ['for another path', async () => sign({ path: 'vip/*' })],
    ['for another action', async () => sign({ action: 'publish' })],
    ['for another address', async () => sign({ ip: '198.51.100.1' })],
    ['a WMSAuth token for another address', async () => sign({ kind: 'wms-auth', ip: '198.51.100.1' })],
    ['a wrong password', async () => '?user=anna&pass=wrong'],
    ['a made-up key', async () => '?key=key_0123'],
    [
      'signed with the public key as if it were a secret',
      async () => {
        const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
        const forged = new SignJWT({ actions: ['play'], paths: ['*/*'] }).setProtectedHeader({ alg: 'HS256' });
        return `?token=${await forged.setExpirationTime('1h').sign(new TextEncoder().encode(pem))}`;
      },
    ],
  ])('is nobody whose token is %s', async (_why, make) => {
    expect(await watch(await make())).toEqual(['refused', 401, 401]);
  });

  it('is nobody who replays a token from another address, nor the segments that it opened', async () => {
    const query = await sign({ ip: '192.0.2.0/28' });
    const from = (ip: string) => ({ 'X-Forwarded-For': ip });
    expect(await status(flv(query), from('192.0.2.9'))).toBe(200);
    expect(await status(flv(query), from('192.0.2.77'))).toBe(401);
    expect(await status(hls(query), from('192.0.2.77'))).toBe(401);
    const playlist = await (await fetch(hls(query), { headers: from('192.0.2.9') })).text();
    const segment = new URL(/^show\/hls\/.+$/m.exec(playlist)?.[0] ?? '', hls(''));
    expect(segment.search).toMatch(/^\?session=[\w-]{22}$/);
    expect(await status(segment.href, from('192.0.2.10'))).toBe(200);
    expect(await status(segment.href, from('192.0.2.77'))).toBe(401);
    expect(await status(segment.href.split('?')[0] ?? '', from('192.0.2.9'))).toBe(401);
    const other = segment.href.replace(/session=.*/, 'session=AAAAAAAAAAAAAAAAAAAAAA');
    expect(await status(other, from('192.0.2.9'))).toBe(401);
  });

  it('is who has begun in time, until the hard end', async () => {
    const query = await sign({ seconds: 1, sessionSeconds: 4 });
    const viewer = await httpFlvViewer(flv(query));
    const hlsViewer = new HlsViewer(hls(query));
    await until('HLS plays', () => hlsViewer.samples.length > 0);
    await until('nobody can begin any more', async () => (await status(flv(query))) === 401);
    expect(viewer.ended).toBe(false);
    const before = hlsViewer.segments.length;
    await until('those who began go on', () => hlsViewer.segments.length > before);
    await until('the session ends', () => viewer.ended);
    await until('the playlist is refused', async () => (await status(hls(query))) === 401);
    await hlsViewer.leave().catch(() => undefined);
    expect(sluice.log.some((line) => line.reason === 'the credential has expired')).toBe(true);
  });

  it('is nobody whose key was revoked, from that moment', async () => {
    const made = await api<{ streamKey: { id: string }; key: string }>(sluice, 'POST', '/api/v2/stream-keys', {
      path: 'live/*',
      action: 'play',
    });
    const viewer = await httpFlvViewer(flv(`?key=${made.body.key}`));
    expect((await api(sluice, 'DELETE', `/api/v2/stream-keys/${made.body.streamKey.id}`)).status).toBe(204);
    await until('the viewer is cut', () => viewer.ended, 1000);
    expect(await status(flv(`?key=${made.body.key}`))).toBe(401);
  });

  it('holds a limit under 200 attempts at once', async () => {
    expect((await api(sluice, 'PATCH', '/api/v2/config', { 'sessions.perViewer': 7 })).status).toBe(200);
    const query = await sign({ viewer: 'crowd' });
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const gone = new AbortController();
        const response = await fetch(flv(query), { signal: gone.signal });
        return { status: response.status, leave: () => gone.abort() };
      }),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(7);
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(193);
    for (const { leave } of answers) leave();
    expect((await api(sluice, 'DELETE', '/api/v2/config/sessions.perViewer')).status).toBe(200);
  });

  it('is everybody on a path that is open', async () => {
    await publish('', 'open/show');
    expect(await status(`${sluice.http}/status/streams/open/show`)).toBe(200);
  });
});

describe('who is kept out', () => {
  let sluice: TestServer;
  let publisher: ClipPublisher;
  let dataDirectory: string;
  const config = `viewers: { waitForStreamSeconds: 0 }\nhls: { segmentSeconds: 1 }\n${PROXIED}`;

  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'sluice-bans-'));
    sluice = await startServer(config, {}, { dataDirectory });
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
  });
  afterAll(async () => {
    await publisher.stop();
    await sluice.stop();
    await rm(dataDirectory, { recursive: true });
  });

  interface Listed {
    readonly sessions: readonly { readonly id: string; readonly viewer: string | null; readonly protocol: string }[];
  }
  const sessions = async (filter: string) =>
    (await api<Listed>(sluice, 'GET', `/api/v2/sessions?action=play&${filter}`)).body.sessions;
  const sign = async (viewer: string): Promise<string> =>
    (await api<Made>(sluice, 'POST', '/api/v2/tokens', { path: '*/*', viewer })).body.query ?? '';

  it.each(['rtmp', 'http-flv', 'ws-flv', 'hls'])(
    'a kicked %s viewer, within a second and for as long as told',
    async (protocol) => {
      const viewerId = `${protocol}-viewer`;
      const query = await sign(viewerId);
      const join: Record<string, () => Promise<TestViewer> | TestViewer> = {
        rtmp: () => rtmpViewer(`${sluice.rtmp}/live/show${query}`),
        'http-flv': () => httpFlvViewer(`${sluice.http}/live/show.flv${query}`),
        'ws-flv': () => webSocketViewer(`${sluice.ws}/live/show.flv${query}`),
        hls: () => new HlsViewer(`${sluice.http}/live/show.m3u8${query}`),
      };
      const viewer = await join[protocol]?.();
      if (viewer === undefined) throw new Error(protocol);
      await until('it plays', () => viewer.samples.length > 0);
      const [session] = await sessions(`viewer=${viewerId}`);
      expect(session).toMatchObject({ protocol, viewer: viewerId });
      const segment = viewer instanceof HlsViewer ? viewer.segments.at(-1)?.url : undefined;
      const kicked = await api(sluice, 'DELETE', `/api/v2/sessions/${session?.id}?deny=auto&seconds=60&reason=test`);
      expect(kicked.body).toMatchObject({ ban: { kind: 'viewer', value: viewerId } });
      if (segment === undefined) await until('it is cut', () => viewer.ended, 1000);
      else expect((await fetch(segment)).status).toBe(401);
      await until('it is gone', async () => (await sessions(`viewer=${viewerId}`)).length === 0, 1000);
      await viewer.leave().catch(() => undefined);
      // And it doesn't come back, by any protocol, as it would with another token.
      const again = await sign(viewerId);
      await expect(rtmpViewer(`${sluice.rtmp}/live/show${again}`)).rejects.toMatchObject({ code: 'refused' });
      // The path is open: who shows no credential is somebody else.
      expect((await fetch(`${sluice.http}/live/show.m3u8${again}`)).status).toBe(403);
    },
  );

  it('an anonymous HLS viewer, by device and stream', async () => {
    const headers = { 'User-Agent': 'telly', 'X-Forwarded-For': '198.51.100.5' };
    const url = `${sluice.http}/live/show.m3u8`;
    const playlist = await (await fetch(url, { headers })).text();
    const segment = new URL(/^show\/hls\/.+$/m.exec(playlist)?.[0] ?? '', url);
    expect((await fetch(segment, { headers })).status).toBe(200);
    const [session] = await sessions('ip=198.51.100.5');
    await api(sluice, 'DELETE', `/api/v2/sessions/${session?.id}?deny=auto&seconds=60`);
    expect((await fetch(segment, { headers })).status).toBe(403);
    expect((await fetch(url, { headers })).status).toBe(403);
    expect((await fetch(url, { headers: { ...headers, 'User-Agent': 'another' } })).status).toBe(200);
  });

  it('a banned address, over a restart, until the ban is lifted', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.66' };
    const ask = async () => (await fetch(`${sluice.http}/live/show.m3u8`, { headers })).status;
    expect(await ask()).toBe(200);
    const made = await api<{ ban: { id: string }; ended: number }>(sluice, 'POST', '/api/v2/bans', {
      kind: 'ip',
      value: '203.0.113.64/28',
      reason: 'abuse',
    });
    expect(made).toMatchObject({ status: 201, body: { ended: 1 } });
    expect(await ask()).toBe(403);
    await publisher.stop();
    await sluice.stop();
    sluice = await startServer(config, {}, { dataDirectory });
    expect(sluice.adminPassword).toBeUndefined();
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    expect(await ask()).toBe(403);
    expect((await api(sluice, 'DELETE', `/api/v2/bans/${made.body.ban.id}`)).status).toBe(204);
    await until('the address is let in', async () => (await ask()) === 200);
    const past = await api<{ sessions: { reason: string }[] }>(
      sluice,
      'GET',
      '/api/v2/sessions/history?ip=203.0.113.66',
    );
    expect(past.body.sessions).toMatchObject([{ reason: 'banned: abuse' }]);
  });

  it('those whom a new configuration keeps out, and nobody else', async () => {
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    const named = await httpFlvViewer(`${sluice.http}/live/show.flv${await sign('named')}`);
    sluice.writeConfig(`${config}\naccess: { play: credential }\nrtmp: { chunkSize: 4096 }`);
    const reloaded = await api(sluice, 'POST', '/api/v2/config/reload');
    expect(reloaded.body).toEqual({ applied: ['access.play'], needRestart: ['rtmp.chunkSize'] });
    await until('the anonymous viewer is cut', () => viewer.ended, 1000);
    const before = named.samples.length;
    await until('the other goes on', () => named.samples.length > before + 10);
    sluice.writeConfig('rtmp: { prot: 1 }');
    expect(await api(sluice, 'POST', '/api/v2/config/reload')).toMatchObject({
      status: 400,
      body: { error: { code: 'bad-config', message: expect.stringContaining('rtmp.prot') } },
    });
    expect(named.ended).toBe(false);
    await named.leave();
  });
});

describe('a server that nobody has configured', () => {
  it('makes an administrator, and lets only this machine and private networks publish', async () => {
    const sluice = await startServer();
    expect(sluice.adminPassword).toMatch(/^[a-z0-9]{20}$/);
    const login = await api<{ accessToken: string }>(
      sluice,
      'POST',
      '/api/v2/auth/login',
      { user: 'admin', password: sluice.adminPassword },
      { 'Content-Type': 'application/json' },
    );
    const asAdmin = { Authorization: `Bearer ${login.body.accessToken}` };
    expect((await api(sluice, 'GET', '/api/v2/users', undefined, asAdmin)).status).toBe(200);
    expect((await api(sluice, 'GET', '/api/v2/users', undefined, {})).status).toBe(401);
    expect((await api(sluice, 'GET', '/api/v2/sessions', undefined, {})).status).toBe(200);
    expect(sluice.log.find(({ msg }) => /publish/.test(msg))).toMatchObject({
      msg: expect.stringContaining('private networks'),
    });
    await sluice.stop();
  });
});

/** Whether a viewer's connection ends without a picture. */
async function ended(viewer: TestViewer): Promise<boolean> {
  await until('it is refused', () => viewer.ended);
  return viewer.samples.length === 0;
}
