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
  systemClock,
} from '@sluice/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallbackServer } from '../../../../test/support/callback-server.js';
import { MemoryOutbox } from '../../../../test/support/memory-outbox.js';
import { until } from '../../../../test/support/until.js';
import { CallbackAdvisor } from './callback-advisor.js';
import { CallbackClient } from './callback-client.js';
import { CallbackNotifier } from './callback-notifier.js';
import { OutboxSender } from './outbox-sender.js';

const names = { serverId: 'vid-server', serviceId: 'service', streamId: () => 'vid-stream' };

interface Heard {
  readonly url: string;
  readonly action: string;
  readonly client_id: string;
}

describe('callbacks at the gate', () => {
  const closing: (() => unknown)[] = [];
  let server: CallbackServer;
  beforeEach(async () => {
    server = await CallbackServer.start();
    closing.push(() => server.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function gateWith(yaml: string) {
    const config = loadConfig({ file: { name: 't', text: yaml } });
    const logged: string[] = [];
    const write = (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`);
    const log: Logger = { debug: write, info: write, warn: write, error: write };
    const clock = systemClock;
    const events = new EventBus(log);
    const client = new CallbackClient({ clock });
    const settings = () => config.callbacks;
    const outbox = new MemoryOutbox();
    const sender = new OutboxSender({ outbox, client, settings, clock, log });
    const notifier = new CallbackNotifier({ events, settings, sender, names, clock });
    const observed: string[] = [];
    const advisor = new CallbackAdvisor({
      client,
      settings,
      notifier,
      names,
      clock,
      log,
      observe: (event, outcome, seconds) => observed.push(`${event} ${outcome} ${seconds >= 0}`),
    });
    const gate = new Gate({
      clock,
      events,
      log: silentLogger,
      registry: new SessionRegistry({ clock, limits: () => config.sessions }),
      settingsFor: (path) => settingsFor(config, path).access,
      adminRule: () => config.api,
      bans: await Bans.load(memoryStore(), clock),
      credentials: new CredentialChecks([]),
      advisors: [advisor],
    });
    closing.push(
      () => client.close(),
      () => sender.close(),
      () => notifier.close(),
      () => gate.close(),
    );
    const allTold = () => until('the outbox is empty', async () => (await outbox.count()) === 0);
    return { gate, notifier, allTold, logged, observed };
  }

  const request = (over: Partial<AccessRequest> = {}): AccessRequest => ({
    action: 'publish',
    protocol: 'rtmp',
    path: 'live/show',
    ip: '127.0.0.1',
    credentials: {},
    query: new URLSearchParams('key=secret-of-anna'),
    client: { tcUrl: 'rtmp://h/live' },
    ...over,
  });

  const heard = (): Heard[] =>
    server.received.map(({ path, text }) => ({ url: path, ...(JSON.parse(text) as Omit<Heard, 'url'>) }));
  const actions = () => heard().map(({ url, action }) => `${url} ${action}`);
  /** All settings, with a URL each. */
  const all = () =>
    ['Connect', 'Publish', 'Play', 'Close', 'Unpublish', 'Stop', 'Hls']
      .map((event) => `on${event}: ["${server.url(`/${event.toLowerCase()}`)}"]`)
      .join(', ');

  it('asks before and tells after, in pairs that have one client id', async () => {
    const { gate, allTold, observed } = await gateWith(`callbacks: { ${all()} }`);
    const publisher = await gate.admit(request());
    const viewer = await gate.admit(request({ action: 'play', protocol: 'hls' }));
    viewer.close('left');
    await allTold();
    publisher.close('left');
    await allTold();
    expect(actions().slice(0, 4)).toEqual([
      '/connect on_connect',
      '/publish on_publish',
      '/play on_play',
      '/stop on_stop',
    ]);
    // To two URLs there is no order.
    expect(actions().slice(4).sort()).toEqual(['/close on_close', '/unpublish on_unpublish']);
    expect(new Set(heard().map(({ client_id }) => client_id))).toEqual(
      new Set([publisher.session.id, viewer.session.id]),
    );
    expect(observed).toEqual(['on_connect ok true', 'on_publish ok true', 'on_play ok true']);
  });

  it('sends exactly what SRS sends', async () => {
    const { gate } = await gateWith(`callbacks: { onPublish: ["${server.url()}"] }`);
    const { session } = await gate.admit(request());
    expect(server.bodies).toEqual([
      {
        server_id: 'vid-server',
        service_id: 'service',
        action: 'on_publish',
        client_id: session.id,
        ip: '127.0.0.1',
        vhost: '__defaultVhost__',
        app: 'live',
        tcUrl: 'rtmp://h/live',
        stream: 'show',
        param: '?key=secret-of-anna',
        stream_url: '/live/show',
        stream_id: 'vid-stream',
      },
    ]);
  });

  it('sends our own form, signed, where that is set', async () => {
    const { gate } = await gateWith(
      `callbacks: { format: sluice, secret: 0123456789abcdef, onPublish: ["${server.url()}"] }`,
    );
    const { session } = await gate.admit(request());
    expect(server.bodies).toMatchObject([{ event: 'on_publish', server: 'vid-server', session: { id: session.id } }]);
    expect(server.received[0]?.headers['sluice-signature']).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
  });

  it.each([
    ['no', { body: '{"code":1}' }, 'callback-refused'],
    ['nothing', { body: '' }, 'callback-refused'],
    ['an error', { status: 500, body: '0' }, 'callback-refused'],
    ['a redirect', { status: 302, headers: { location: '/yes' } }, 'callback-refused'],
    ['silence', 'never' as const, 'callback-failed'],
  ])('refuses where the answer is %s', async (_, answer, code) => {
    server.answer = () => answer;
    const { gate, logged, observed } = await gateWith(
      `callbacks: { timeoutMs: 50, onPublish: ["${server.url('/?key=in-the-url')}"] }`,
    );
    await expect(gate.admit(request())).rejects.toMatchObject({ name: 'Refusal', code });
    expect(logged).toHaveLength(1);
    expect(observed).toHaveLength(1);
    expect(logged.join()).not.toMatch(/secret-of-anna|in-the-url/);
  });

  it('refuses where nobody is there to ask', async () => {
    const url = server.url();
    await server.close();
    closing.length = 0;
    const { gate } = await gateWith(`callbacks: { onPlay: ["${url}"] }`);
    await expect(gate.admit(request({ action: 'play' }))).rejects.toMatchObject({ code: 'callback-failed' });
    await expect(gate.admit(request())).resolves.toBeDefined();
  });

  it('asks all URLs of an event, in order, until one says no', async () => {
    server.answer = ({ path }) => ({ body: path === '/b' ? '1' : '0' });
    const urls = ['/a', '/b', '/c'].map((path) => `"${server.url(path)}"`).join(', ');
    const { gate } = await gateWith(`callbacks: { onPublish: [${urls}] }`);
    await expect(gate.admit(request())).rejects.toMatchObject({ code: 'callback-refused' });
    expect(actions()).toEqual(['/a on_publish', '/b on_publish']);
  });

  it('counts out whom it counted in: refused by the second question', async () => {
    server.answer = ({ path }) => ({ body: path === '/publish' ? '1' : '0' });
    const { gate, allTold } = await gateWith(`callbacks: { ${all()} }`);
    await expect(gate.admit(request())).rejects.toMatchObject({ code: 'callback-refused' });
    await allTold();
    expect(actions()).toEqual(['/connect on_connect', '/publish on_publish', '/close on_close']);
    expect(new Set(heard().map(({ client_id }) => client_id)).size).toBe(1);
  });

  it('counts out whom it counted in: refused by a limit after all agreed', async () => {
    const { gate, allTold } = await gateWith(`{ callbacks: { ${all()} }, sessions: { total: 1 } }`);
    await gate.admit(request());
    server.received.length = 0;
    await expect(gate.admit(request())).rejects.toMatchObject({ code: 'too-many-sessions' });
    await allTold();
    expect(actions().slice(0, 2)).toEqual(['/connect on_connect', '/publish on_publish']);
    expect(actions().slice(2).sort()).toEqual(['/close on_close', '/unpublish on_unpublish']);
  });

  it('has nothing to do with the streams of the server itself', async () => {
    const { gate, allTold } = await gateWith(`callbacks: { ${all()} }`);
    const admission = await gate.admit(request({ byConfiguration: true }));
    admission.close('end of file');
    await allTold();
    expect(server.received).toEqual([]);
  });

  it('tells of HLS segments', async () => {
    const { gate, notifier, allTold } = await gateWith(`callbacks: { onHls: ["${server.url()}"] }`);
    const { session } = await gate.admit(request());
    const files = { file: '', playlistFile: '', cwd: '' };
    notifier.hlsSegment(session, { duration: 2, sequence: 1, url: '/a.ts', playlistUrl: '/a.m3u8', ...files });
    await allTold();
    expect(server.bodies).toMatchObject([{ action: 'on_hls', client_id: session.id, seq_no: 1, url: '/a.ts' }]);
  });
});
