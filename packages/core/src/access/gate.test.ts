import { millis } from '@sluice/media';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig, renditionOf, settingsFor } from '../config/load.js';
import { Refusal } from '../errors.js';
import { EventBus } from '../events.js';
import { silentLogger } from '../logger.js';
import { memoryStore } from '../record-store.js';
import type { StreamPath } from '../stream-path.js';
import { Bans, type NewBan } from './bans.js';
import { type CheckedRequest, CredentialChecks } from './credentials/credential-check.js';
import { Gate } from './gate.js';
import type { AccessRequest } from './request.js';
import type { Identity, Session } from './session.js';
import { SessionRegistry } from './session-registry.js';

const request = (over: Partial<AccessRequest> = {}): AccessRequest => ({
  action: 'play',
  protocol: 'http-flv',
  path: 'live/show',
  ip: '192.0.2.1',
  credentials: {},
  query: new URLSearchParams('key=not-for-logs'),
  ...over,
});

const OUTSIDE = '203.0.113.7';

describe('Gate', () => {
  const gates: Gate[] = [];
  afterEach(() => {
    for (const gate of gates.splice(0)) gate.close();
  });

  async function gateWith(
    yaml = '',
    advisor: (prospect: Session) => Promise<void> = async () => {},
    withdraw: (prospect: Session) => void = () => {},
  ) {
    let config = loadConfig({ file: { name: 'test.yml', text: yaml } });
    const time = { wall: 1_000_000 };
    const clock = { monotonic: () => millis(0), wall: () => millis(time.wall) };
    const events = new EventBus(silentLogger);
    const seen: string[] = [];
    const logged: unknown[] = [];
    const revoked = new Set<string>();
    events.on('session-opened', ({ session }) => seen.push(`+${session.path}`));
    events.on('session-closed', ({ session, reason, traffic }) =>
      seen.push(`-${session.path} ${reason} ${traffic.sent}`),
    );
    events.on('request-refused', ({ reason }) => seen.push(`!${reason}`));
    const registry = new SessionRegistry({ clock, limits: () => config.sessions });
    const bans = await Bans.load(memoryStore(), clock);
    const credentials = new CredentialChecks([
      {
        verify: async ({ credentials: { key } }: CheckedRequest): Promise<Identity | undefined> => {
          if (key === undefined) return undefined;
          if (key !== 'right') throw new Refusal('credential-invalid', 'wrong key');
          return { kind: 'stream-key', viewer: 'anna', credential: 'k1', expiresAt: millis(time.wall + 5000) };
        },
        stillHolds: ({ credential }) => credential === undefined || !revoked.has(credential),
      },
    ]);
    const gate = new Gate({
      clock,
      events,
      registry,
      settingsFor: (path) => settingsFor(config, path).access,
      sourceOf: (path) => renditionOf(config, path)?.source,
      adminRule: () => config.api,
      bans,
      credentials,
      advisors: [{ ask: advisor, withdraw }],
      log: { ...silentLogger, warn: (fields) => logged.push(fields) },
    });
    gates.push(gate);
    const configure = (text: string) => {
      config = loadConfig({ file: { name: 'test.yml', text } });
    };
    const ban = (wanted: Partial<NewBan>) =>
      bans.add({ kind: 'ip', value: OUTSIDE, reason: 'test', createdBy: 'test', ...wanted } as NewBan);
    return { gate, registry, bans, ban, seen, logged, revoked, time, configure };
  }

  const refusedWith = (code: string) => expect.objectContaining({ name: 'Refusal', code });

  it('opens a session and keeps it until it is closed, once, with what went through it', async () => {
    const { gate, registry, seen } = await gateWith();
    const { session, bind, close } = await gate.admit(request({ ip: '::1' }));
    expect(session).toMatchObject({ path: 'live/show', ip: '::1', protocol: 'http-flv', openedAt: 1_000_000 });
    bind({ cut: () => {}, traffic: () => ({ received: 0, sent: 99 }) });
    expect([...registry.list()]).toMatchObject([{ session, traffic: { sent: 99 }, ending: undefined }]);
    close('viewer left');
    close('again');
    expect([...registry.list()]).toEqual([]);
    expect(seen).toEqual(['+live/show', '-live/show viewer left 99']);
  });

  it.each([
    ['sessions.total', 'sessions: { total: 2 }', { path: 'c/c', ip: '192.0.2.3' }],
    ['sessions.perStream', 'sessions: { perStream: 1 }', { path: 'a/a', ip: '192.0.2.3' }],
    ['sessions.perIp', 'sessions: { perIp: 1 }', { path: 'c/c', ip: '192.0.2.1' }],
    ['sessions.perViewer', 'sessions: { perViewer: 1 }', { path: 'c/c', ip: '192.0.2.3' }],
  ])('refuses one more than %s, and takes it when another has left', async (key, yaml, one) => {
    const { gate, registry } = await gateWith(yaml);
    const ask = (over: Partial<AccessRequest>) => gate.admit(request({ credentials: { key: 'right' }, ...over }));
    const first = await gate.admit(request({ path: 'a/a', credentials: { key: 'right' } }));
    await gate.admit(request({ path: 'b/b', ip: '192.0.2.2' }));
    await expect(ask(one)).rejects.toMatchObject({
      code: 'too-many-sessions',
      message: expect.stringContaining(`${key} is `),
    });
    expect(registry.size).toBe(2);
    first.close('left');
    await expect(ask(one)).resolves.toBeDefined();
  });

  it('holds a limit when 200 ask at once', async () => {
    const { gate, registry } = await gateWith('sessions: { perStream: 7 }', () => new Promise(setImmediate));
    const answers = await Promise.allSettled(Array.from({ length: 200 }, () => gate.admit(request())));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    expect(registry.size).toBe(7);
  });

  it('takes a rendition for its source: the same rules, bans and devices, and no publishers', async () => {
    const yaml = 'transcode: { renditions: { small: { height: 240, videoBitrate: 400 } } }';
    const { gate, ban } = await gateWith(`${yaml}\npaths: { "live/show": { access: { play: credential } } }`);
    const path = 'live/show/small';
    await expect(gate.admit(request({ path }))).rejects.toEqual(refusedWith('credential-missing'));
    const credentials = { key: 'right' };
    const [source, rendition] = [
      await gate.admit(request({ credentials })),
      await gate.admit(request({ path, credentials })),
    ];
    expect(rendition.session.path).toBe(path);
    expect(rendition.session.fingerprint).toBe(source.session.fingerprint);
    const publishing = request({ path, action: 'publish', ip: '127.0.0.1' });
    await expect(gate.admit(publishing)).rejects.toMatchObject({
      code: 'closed',
      message: 'live/show/small is a rendition of live/show: the server publishes it; publish live/show',
    });
    await expect(gate.admit({ ...publishing, byConfiguration: true })).rejects.toEqual(refusedWith('closed'));
    const own = { ...publishing, protocol: 'transcode', byConfiguration: true } as const;
    await expect(gate.admit(own)).resolves.toBeDefined();
    await ban({ path: 'live/show' });
    await expect(gate.admit(request({ path, credentials, ip: OUTSIDE }))).rejects.toEqual(refusedWith('banned'));
    expect(gate.isOpenTo('play', 'live/other/small' as StreamPath, '192.0.2.1')).toBe(true);
    expect(gate.isOpenTo('play', path as StreamPath, '192.0.2.1')).toBe(false);
  });

  it('refuses a name outside the grammar, and logs why without the query', async () => {
    const { gate, seen, logged } = await gateWith();
    await expect(gate.admit(request({ path: 'live/../etc' }))).rejects.toEqual(refusedWith('bad-name'));
    expect(seen).toEqual(['!bad-name']);
    expect(logged).toMatchObject([{ action: 'play', protocol: 'http-flv', ip: '192.0.2.1', reason: 'bad-name' }]);
    expect(JSON.stringify(logged)).not.toContain('not-for-logs');
  });

  it.each([
    ['open', OUTSIDE, {}, undefined],
    ['open', OUTSIDE, { key: 'wrong' }, undefined],
    ['local', '10.1.2.3', {}, undefined],
    ['local', 'fd00::5', {}, undefined],
    ['local', OUTSIDE, {}, 'credential-missing'],
    ['local', OUTSIDE, { key: 'right' }, undefined],
    ['local', OUTSIDE, { key: 'wrong' }, 'credential-invalid'],
    ['credential', '127.0.0.1', {}, 'credential-missing'],
    ['credential', '127.0.0.1', { key: 'right' }, undefined],
    ['closed', '127.0.0.1', { key: 'right' }, 'closed'],
  ])('access %s from %s with %j: %s', async (mode, ip, credentials, code) => {
    const { gate } = await gateWith(`access: { publish: ${mode}, play: closed }`);
    const asked = gate.admit(request({ action: 'publish', ip, credentials }));
    if (code === undefined) await expect(asked).resolves.toBeDefined();
    else await expect(asked).rejects.toEqual(refusedWith(code));
  });

  it('asks nothing of those who may publish where nobody has set anything: this machine and private networks', async () => {
    const { gate } = await gateWith();
    const publish = (ip: string) => gate.admit(request({ action: 'publish', ip }));
    await expect(publish('127.0.0.1')).resolves.toBeDefined();
    await expect(publish('192.168.1.5')).resolves.toBeDefined();
    await expect(publish(OUTSIDE)).rejects.toEqual(refusedWith('credential-missing'));
    await expect(gate.admit(request({ ip: OUTSIDE }))).resolves.toBeDefined();
  });

  it('lets a rule of a path go before the general one, and deny before allow', async () => {
    const { gate } = await gateWith(`
      access: { play: closed, playAllow: [203.0.113.0/24, "2001:db8::/32"] }
      paths: { "open/*": { access: { play: open, playDeny: [203.0.113.7] } } }`);
    const ask = (path: string, ip: string) => gate.admit(request({ path, ip }));
    await expect(ask('live/show', '203.0.113.8')).rejects.toEqual(refusedWith('closed'));
    await expect(ask('open/show', '203.0.113.8')).resolves.toBeDefined();
    await expect(ask('open/show', '2001:db8::1')).resolves.toBeDefined();
    await expect(ask('open/show', '203.0.113.7')).rejects.toEqual(refusedWith('address-denied'));
    await expect(ask('open/show', '198.51.100.1')).rejects.toEqual(refusedWith('address-denied'));
  });

  it('refuses who was banned while a callback was being asked', async () => {
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { gate, ban, registry } = await gateWith('', () => asked);
    const admission = gate.admit(request({ ip: OUTSIDE }));
    await ban({});
    answer();
    await expect(admission).rejects.toEqual(refusedWith('banned'));
    expect(registry.size).toBe(0);
  });

  it('tells a callback that agreed when somebody else refused, and only then', async () => {
    const withdrawn: string[] = [];
    const agree = async ({ path }: Session) => {
      if (path === 'live/no') throw new Refusal('callback-refused', 'no');
    };
    const { gate } = await gateWith('sessions: { total: 1 }', agree, ({ path }) => withdrawn.push(path));
    await gate.admit(request({ path: 'live/one' }));
    await expect(gate.admit(request({ path: 'live/no' }))).rejects.toEqual(refusedWith('callback-refused'));
    expect(withdrawn).toEqual([]);
    await expect(gate.admit(request({ path: 'live/two' }))).rejects.toEqual(refusedWith('too-many-sessions'));
    expect(withdrawn).toEqual(['live/two']);
  });

  it('lets a callback have the last word', async () => {
    const { gate, registry } = await gateWith('', async (prospect) => {
      throw new Refusal('callback-refused', `not ${prospect.path}`);
    });
    await expect(gate.admit(request())).rejects.toEqual(refusedWith('callback-refused'));
    expect(registry.size).toBe(0);
  });

  it('ends a session whose credential expires', async () => {
    const { gate, registry, time } = await gateWith();
    const cut: string[] = [];
    const admission = await gate.admit(request({ credentials: { key: 'right' } }));
    admission.bind({ cut: (reason) => cut.push(reason), traffic: () => ({ received: 0, sent: 0 }) });
    registry.sweep();
    expect(cut).toEqual([]);
    time.wall += 5000;
    registry.sweep();
    registry.sweep();
    expect(cut).toEqual(['the credential has expired']);
  });

  it('ends the sessions that a ban, a revoked key or a new rule is about, and no others', async () => {
    const { gate, ban, revoked, configure } = await gateWith();
    const cut: string[] = [];
    const open = async (name: string, over: Partial<AccessRequest>) => {
      const admission = await gate.admit(request(over));
      admission.bind({ cut: (reason) => cut.push(`${name}: ${reason}`), traffic: () => ({ received: 0, sent: 0 }) });
    };
    await open('outside', { ip: OUTSIDE });
    await open('anna', { credentials: { key: 'right' } });
    await open('inside', { ip: '10.0.0.1' });
    await open('other path', { path: 'vip/show' });
    gate.recheck();
    expect(cut).toEqual([]);
    await ban({});
    gate.recheck();
    expect(cut).toEqual(['outside: banned: test']);
    revoked.add('k1');
    gate.recheck();
    expect(cut.slice(1)).toEqual(['anna: its credential was revoked']);
    configure('paths: { "vip/*": { access: { play: closed } } }');
    gate.recheck();
    expect(cut.slice(2)).toEqual(['other path: the path is closed']);
  });

  it('cuts a session that was ended before its protocol was ready for it', async () => {
    const { gate, registry, seen } = await gateWith();
    const admission = await gate.admit(request());
    registry.cut(admission.session.id, 'kicked');
    const cut: string[] = [];
    admission.bind({ cut: (reason) => cut.push(reason), traffic: () => ({ received: 0, sent: 0 }) });
    expect(cut).toEqual(['kicked']);
    admission.close('connection closed');
    expect(seen).toEqual(['+live/show', '-live/show kicked 0']);
  });

  it('opens a session again without its credential, unless something speaks against it', async () => {
    const { gate, time, ban } = await gateWith('access: { play: credential }');
    const { session } = await gate.admit(request({ credentials: { key: 'right' } }));
    await expect(gate.resume(request(), session)).resolves.toMatchObject({ session: { identity: session.identity } });
    await ban({ kind: 'viewer', value: 'anna' });
    await expect(gate.resume(request(), session)).rejects.toEqual(refusedWith('banned'));
    time.wall += 5000;
    await expect(gate.resume(request(), session)).rejects.toEqual(refusedWith('credential-expired'));
  });

  it('keeps the control plane from who is denied or banned', async () => {
    const { gate, ban } = await gateWith('api: { deny: [198.51.100.0/24] }');
    const ask = (ip: string) => () => gate.checkAdmin(request({ action: 'admin', protocol: 'api', path: '', ip }));
    expect(ask('127.0.0.1')).not.toThrow();
    expect(ask('198.51.100.4')).toThrow(refusedWith('address-denied'));
    await ban({ value: '203.0.113.0/24' });
    expect(ask(OUTSIDE)).toThrow(refusedWith('banned'));
  });
});
