import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { AS_ADMIN, SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const PASSWORD = `a password ${SECRET_MARK}`;

describe('logins to the control API', () => {
  let sluice: TestServer;
  beforeEach(async () => {
    sluice = await startServer(`
      api: { corsOrigins: ["https://console.example"] }
      http: { trustedProxies: [127.0.0.1] }`);
  });
  afterEach(() => sluice.stop());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${sluice.api}/api/v2${path}`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const login = (headers: Record<string, string> = {}) =>
    post('/auth/login', { user: 'admin', password: sluice.adminPassword }, headers);

  it('give a token, and a cookie that no script and no other site can use', async () => {
    const response = await login();
    const { accessToken, expiresIn, user } = (await response.json()) as Record<string, never>;
    expect([expiresIn, user]).toMatchObject([600, { name: 'admin', role: 'admin' }]);
    const [cookie = ''] = response.headers.getSetCookie();
    expect(cookie).toMatch(
      /^sluice_refresh=rt_[0-9a-f]{40}; Max-Age=1209600; Path=\/api\/v2\/auth; .*HttpOnly; SameSite=Strict$/,
    );
    const shown = { Cookie: cookie.split(';')[0] ?? '' };
    // What changes state never goes by the cookie alone.
    expect((await post('/bans', { kind: 'viewer', value: 'x' }, shown)).status).toBe(401);
    expect((await post('/auth/refresh', undefined, shown)).status).toBe(403);
    const asked = { ...shown, 'X-Requested-With': 'fetch' };
    expect((await post('/auth/refresh', undefined, { ...asked, Origin: 'https://evil.example' })).status).toBe(403);
    const renewed = await post('/auth/refresh', undefined, asked);
    expect(renewed.status).toBe(200);
    const [next = ''] = renewed.headers.getSetCookie();
    expect(next).not.toBe(cookie);
    const out = await post('/auth/logout', undefined, { ...asked, Cookie: next.split(';')[0] ?? '' });
    expect([out.status, out.headers.getSetCookie()[0]]).toMatchObject([204, expect.stringMatching(/Max-Age=0/)]);
    expect((await post('/auth/refresh', undefined, { ...asked, Cookie: next.split(';')[0] ?? '' })).status).toBe(401);
    const me = await fetch(`${sluice.api}/api/v2/auth/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
    expect(await me.json()).toMatchObject({ kind: 'user', name: 'user:admin' });
  });

  it('are for pages of this origin and those that are listed, never for all', async () => {
    expect((await login({ Origin: 'https://evil.example' })).status).toBe(403);
    const listed = await login({ Origin: 'https://console.example' });
    expect(listed.headers.get('access-control-allow-origin')).toBe('https://console.example');
    expect(listed.headers.get('access-control-allow-credentials')).toBe('true');
    const foreign = await fetch(`${sluice.api}/api/v2/server`, { headers: { Origin: 'https://evil.example' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    expect(foreign.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(foreign.headers.get('x-powered-by')).toBeNull();
  });

  it('are limited for each address, and leave no password behind', async () => {
    const guess = () =>
      post('/auth/login', { user: 'admin', password: PASSWORD }, { 'X-Forwarded-For': '198.51.100.7' });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) statuses.push((await guess()).status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(5);
    expect(statuses.at(-1)).toBe(429);
    expect((await login()).status).toBe(200);
    const refused = async () =>
      (await api<{ entries: object[] }>(sluice, 'GET', '/api/v2/audit?action=auth.login')).body.entries;
    await until('they are in the audit log', async () => (await refused()).length > 3);
    expect(JSON.stringify(await refused())).not.toContain(SECRET_MARK);
    expect(await refused()).toContainEqual(
      expect.objectContaining({ actor: 'anonymous', ip: '198.51.100.7', target: 'admin', result: 'refused' }),
    );
  });

  it('show each user what the role allows, and keep one administrator', async () => {
    const made = await api<{ id: string }>(sluice, 'POST', '/api/v2/users', {
      name: 'bert',
      password: PASSWORD,
      role: 'viewer',
    });
    const asBert = { ...JSON_TYPE, Authorization: `Basic ${btoa(`bert:${PASSWORD}`)}` };
    const statusOf = async (method: string, path: string, body?: unknown) =>
      (await api(sluice, method, `/api/v2${path}`, body, asBert)).status;
    expect(await statusOf('GET', '/bans')).toBe(200);
    expect(await statusOf('POST', '/bans', { kind: 'viewer', value: 'x' })).toBe(403);
    expect(await statusOf('GET', '/users')).toBe(403);
    expect((await api(sluice, 'PATCH', `/api/v2/users/${made.body.id}`, { role: 'operator' })).status).toBe(200);
    expect(await statusOf('POST', '/bans', { kind: 'viewer', value: 'x' })).toBe(201);
    expect(await statusOf('GET', '/config')).toBe(403);
    const { body } = await api<{ users: { id: string; name: string }[] }>(sluice, 'GET', '/api/v2/users');
    const admin = body.users.find(({ name }) => name === 'admin');
    expect(await api(sluice, 'DELETE', `/api/v2/users/${admin?.id}`)).toMatchObject({
      status: 409,
      body: { error: { code: 'last-admin' } },
    });
    expect((await api(sluice, 'DELETE', `/api/v2/users/${made.body.id}`)).status).toBe(204);
    expect(await statusOf('GET', '/bans')).toBe(401);
  });

  it('tell every setting but no secret, and change what can change', async () => {
    type Settings = { settings: { key: string; value: unknown; source: string; pending?: unknown }[] };
    const settings = async () => (await api<Settings>(sluice, 'GET', '/api/v2/config')).body.settings;
    const one = async (key: string) => (await settings()).find((setting) => setting.key === key);
    expect(await one('api.token')).toMatchObject({ value: '(set)', source: 'environment', secret: true });
    expect(JSON.stringify(await settings())).not.toContain(SECRET_MARK);
    const patch = async (body: unknown) => api(sluice, 'PATCH', '/api/v2/config', body);
    const changed = await patch({ 'hls.segments': 4, 'rtmp.chunkSize': 4096 });
    expect(changed.body).toEqual({ applied: ['hls.segments'], needRestart: ['rtmp.chunkSize'] });
    expect(await one('hls.segments')).toMatchObject({ value: 4, source: 'api' });
    expect(await one('rtmp.chunkSize')).toMatchObject({ value: 65_536, pending: 4096 });
    expect((await patch({ 'hls.segments': 1 })).body).toMatchObject({
      error: { message: expect.stringContaining('hls.segments'), field: 'hls.segments' },
    });
    expect((await patch({ 'hls.container': 'fmp4', 'hls.bogus': 1 })).body).toMatchObject({
      error: { field: 'hls.bogus' },
    });
    expect((await patch({ 'log.level': 'warn' })).body).toMatchObject({
      error: { message: expect.stringContaining('SLUICE_LOG_LEVEL'), field: 'log.level' },
    });
    const paths = (passphrase: string, segments: number) => ({
      'live/*': { hls: { segments }, srt: { playPassphrase: passphrase } },
    });
    const secret = `${SECRET_MARK} of paths`;
    expect((await patch({ paths: paths(secret, 5) })).status).toBe(200);
    expect((await one('paths'))?.value).toEqual(paths('(set)', 5));
    expect((await patch({ paths: paths('(set)', 7) })).status).toBe(200);
    expect((await one('paths'))?.value).toEqual(paths('(set)', 7));
    const wrong = await patch({ paths: paths('short', 7) });
    expect(wrong.body, 'ten characters, which (set) has not').toMatchObject({ error: { field: 'paths' } });
    expect(await api(sluice, 'DELETE', '/api/v2/config/hls.segments')).toMatchObject({ status: 200 });
    expect(await one('hls.segments')).toMatchObject({ value: 6, source: 'default' });
    expect(AS_ADMIN.Authorization).toContain(SECRET_MARK);
  });
});
