import {
  type AccessRequest,
  Bans,
  CredentialChecks,
  EventBus,
  Gate,
  type Logger,
  loadConfig,
  memoryStore,
  SessionRegistry,
  settingsFor,
  silentLogger,
} from '@sluice/core';
import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallbackServer } from '../../../../test/support/callback-server.js';
import { CallbackClient } from '../callbacks/callback-client.js';
import { HttpAuthCheck } from './http-auth-check.js';
import { HttpAuthRecheck } from './http-auth-recheck.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('HTTP authentication', () => {
  const closing: (() => unknown)[] = [];
  let server: CallbackServer;
  beforeEach(async () => {
    server = await CallbackServer.start();
    closing.push(() => server.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function gateWith(http = `url: "${server.url('/auth?api=hidden')}"`) {
    const text = `{ access: { publish: credential, play: credential }, auth: { http: { ${http} } } }`;
    const config = loadConfig({ file: { name: 't', text } });
    const time = { wall: 1_700_000_000_000 };
    const clock = { monotonic: () => millis(0), wall: () => millis(time.wall) };
    const logged: string[] = [];
    const log: Logger = { ...silentLogger, warn: (fields, message) => logged.push(message + JSON.stringify(fields)) };
    const client = new CallbackClient({ clock });
    const settings = () => config.auth.http;
    const check = new HttpAuthCheck({ client, settings, log });
    const registry = new SessionRegistry({ clock, limits: () => config.sessions });
    const recheck = new HttpAuthRecheck({ registry, check, settings, clock, log });
    const gate = new Gate({
      clock,
      events: new EventBus(log),
      log,
      registry,
      settingsFor: (path) => settingsFor(config, path).access,
      adminRule: () => config.api,
      bans: await Bans.load(memoryStore(), clock),
      credentials: new CredentialChecks([check]),
      advisors: [],
    });
    closing.push(
      () => client.close(),
      () => recheck.close(),
      () => gate.close(),
    );
    const cut: string[] = [];
    const open = async (over: Partial<AccessRequest> = {}) => {
      const admission = await gate.admit(request(over));
      admission.bind({
        cut: (reason) => cut.push(`${over.credentials?.user}: ${reason}`),
        traffic: () => ({ received: 0, sent: 0 }),
      });
      return admission;
    };
    return { gate, open, recheck, time, cut, logged };
  }

  const request = (over: Partial<AccessRequest> = {}): AccessRequest => ({
    action: 'play',
    protocol: 'http-flv',
    path: 'live/show',
    ip: '203.0.113.7',
    userAgent: 'VLC',
    credentials: { user: 'anna', password: 'open sesame' },
    query: new URLSearchParams('user=anna&pass=open+sesame'),
    ...over,
  });

  it('asks as MediaMTX asks, and takes the user for the viewer', async () => {
    const { gate } = await gateWith();
    const { session } = await gate.admit(request());
    expect(server.received[0]?.path).toBe('/auth?api=hidden');
    expect(server.bodies).toEqual([
      {
        user: 'anna',
        password: 'open sesame',
        token: '',
        ip: '203.0.113.7',
        action: 'read',
        path: 'live/show',
        protocol: 'http-flv',
        id: expect.stringMatching(UUID),
        query: 'user=anna&pass=open+sesame',
        userAgent: 'VLC',
      },
    ]);
    expect(session.identity).toMatchObject({ kind: 'http-auth', viewer: 'anna' });
    expect(session.identity.credential).toMatch(/^[0-9a-f]{24}$/);
    expect(JSON.stringify(session.identity)).not.toContain('sesame');
  });

  it('asks where nothing was shown, too: the address may be enough', async () => {
    server.answer = ({ text }) => ({ status: text.includes('203.0.113.7') ? 204 : 401 });
    const { gate } = await gateWith();
    const bare = { credentials: {}, query: new URLSearchParams(), userAgent: undefined };
    const { session } = await gate.admit(request({ action: 'publish', ...bare }));
    expect(session.identity).toEqual({ kind: 'http-auth' });
    expect(server.bodies).toMatchObject([{ user: '', password: '', token: '', action: 'publish', userAgent: '' }]);
    await expect(gate.admit(request({ ip: '203.0.113.8', ...bare }))).rejects.toMatchObject({
      code: 'credential-missing',
    });
  });

  it.each([
    [401, 'credential-invalid'],
    [403, 'credential-invalid'],
    [302, 'credential-invalid'],
    [503, 'callback-failed'],
  ])('takes %i for a no', async (status, code) => {
    server.answer = () => ({ status, headers: { location: '/' } });
    const { gate } = await gateWith();
    await expect(gate.admit(request())).rejects.toMatchObject({ name: 'Refusal', code });
  });

  it('takes silence for a no, and logs it without secrets', async () => {
    server.answer = () => 'never';
    const { gate, logged } = await gateWith(`url: "${server.url('/auth?api=hidden')}", timeoutMs: 50`);
    await expect(gate.admit(request())).rejects.toMatchObject({ code: 'callback-failed' });
    expect(logged.join()).toContain('the authentication server gave no answer');
    expect(logged.join()).not.toMatch(/hidden|sesame/);
  });

  it('asks nobody where no URL is set', async () => {
    const { gate } = await gateWith('');
    await expect(gate.admit(request())).rejects.toMatchObject({ code: 'credential-missing' });
  });

  it('asks again about sessions under way, each in its time, and ends those that are taken back', async () => {
    const { open, recheck, time, cut } = await gateWith();
    await open();
    time.wall += 30_000;
    await open({ credentials: { user: 'bert', password: 'x' } });
    const asked = () => server.bodies.map((body) => (body as { user: string }).user);
    expect(asked()).toEqual(['anna', 'bert']);
    time.wall += 29_999;
    await recheck.sweep();
    expect(asked()).toEqual(['anna', 'bert']);
    time.wall += 1;
    await recheck.sweep();
    expect(asked()).toEqual(['anna', 'bert', 'anna']);
    expect(server.bodies[2]).toEqual(server.bodies[0]);
    expect(cut).toEqual([]);
    server.answer = ({ text }) => ({ status: text.includes('bert') ? 403 : 200 });
    time.wall += 60_000;
    await recheck.sweep();
    expect(cut).toEqual(['bert: the authentication server has taken it back']);
    time.wall += 60_000;
    await recheck.sweep();
    expect(asked().filter((user) => user === 'bert')).toHaveLength(2);
  });

  it('lets sessions be while the server has trouble', async () => {
    const { open, recheck, time, cut, logged } = await gateWith(`url: "${server.url()}", timeoutMs: 50`);
    await open();
    for (const answer of [() => ({ status: 500 }), () => 'never' as const, () => 'never' as const]) {
      server.answer = answer;
      time.wall += 60_000;
      await recheck.sweep();
    }
    expect(server.received).toHaveLength(4);
    expect(cut).toEqual([]);
    expect(logged).toHaveLength(1);
  });

  it.each([
    ['never, where that is set', 'recheckSeconds: 0, ', 0],
    ['in its own time', 'recheckSeconds: 100, ', 1],
  ])('asks again %s', async (_, setting, times) => {
    const { open, recheck, time } = await gateWith(`${setting}url: "${server.url()}"`);
    await open();
    time.wall += 100_000;
    await recheck.sweep();
    expect(server.received).toHaveLength(1 + times);
  });

  it('no longer asks about sessions that are over', async () => {
    const { open, recheck, time } = await gateWith();
    const { close } = await open();
    close('left');
    time.wall += 60_000;
    await recheck.sweep();
    expect(server.received).toHaveLength(1);
  });
});
