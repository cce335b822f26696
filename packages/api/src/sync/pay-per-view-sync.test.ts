import { createHash, createHmac } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallbackServer } from '../../../../test/support/callback-server.js';
import { testGate } from '../../../../test/support/gate.js';
import { until } from '../../../../test/support/until.js';
import { CallbackClient } from '../callbacks/callback-client.js';
import { PayPerViewSync } from './pay-per-view-sync.js';

const SECRET = 'a-secret-of-syncs';
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);

describe('PayPerViewSync', () => {
  const closing: (() => unknown)[] = [];
  let server: CallbackServer;
  beforeEach(async () => {
    server = await CallbackServer.start();
    server.answer = () => ({ body: '{}' });
    closing.push(() => server.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function syncWith(text = '', isElected = () => true) {
    const yaml = (more: string) => `sync: { url: "${server.url('/ppv')}", serverId: edge-1${more && `, ${more}`} }`;
    const house = await testGate(yaml(text));
    const client = new CallbackClient({ clock: house.clock });
    const sync = new PayPerViewSync({
      ...house,
      settings: () => house.config().sync,
      client,
      hostName: 'host.example.org',
      isElected,
    });
    closing.push(
      () => client.close(),
      () => sync.close(),
      () => house.gate.close(),
    );
    return { ...house, sync };
  }

  it("reports those with an id, in WMSPanel's tree", async () => {
    const { sync, play, gate, time } = await syncWith();
    const anna = await play('anna', { userAgent: 'VLC', ip: '192.0.2.5', addresses: ['192.0.2.5', '192.0.2.6'] });
    const bert = await play('bert', { path: 'a/b/c', userAgent: undefined });
    await play(undefined);
    await gate.admit({
      action: 'publish',
      protocol: 'rtmp',
      path: 'live/show',
      ip: '127.0.0.1',
      credentials: { user: 'encoder' },
      query: new URLSearchParams(),
    });
    anna.sent = 1000;
    time.ms += 2500;
    await sync.sync();
    expect(server.received[0]).toMatchObject({ path: '/ppv', headers: { 'content-type': 'application/json' } });
    expect(server.bodies).toEqual([
      {
        ID: 'edge-1',
        Signature: '',
        Puzzle: UUID,
        PayPerViewInfo: {
          VHost: [
            {
              name: '_defaultVHost_',
              Application: [
                {
                  name: 'live',
                  Instance: [
                    {
                      name: '_definst_',
                      Stream: [
                        {
                          name: 'show',
                          Player: [
                            {
                              id: 'anna',
                              ip: '192.0.2.5',
                              sessionid: anna.session.id,
                              delta: 2500,
                              bytes_sent: 1000,
                              user_agents: ['VLC'],
                              ips: ['192.0.2.5', '192.0.2.6'],
                              token: 'token-of-anna',
                              protocol: 'http-flv',
                            },
                          ],
                        },
                      ],
                    },
                  ],
                },
                {
                  name: 'a/b',
                  Instance: [
                    {
                      name: '_definst_',
                      Stream: [
                        {
                          name: 'c',
                          Player: [
                            {
                              id: 'bert',
                              ip: '192.0.2.1',
                              sessionid: bert.session.id,
                              delta: 2500,
                              bytes_sent: 0,
                              user_agents: [],
                              ips: ['192.0.2.1'],
                              token: 'token-of-bert',
                              protocol: 'http-flv',
                            },
                          ],
                        },
                      ],
                    },
                  ],
                },
              ],
            },
          ],
        },
      },
    ]);
  });

  it('reports in XML, with whatever a player calls itself', async () => {
    const { sync, play } = await syncWith('format: xml');
    const { session } = await play('7-web', { userAgent: 'a<b>&"\'\u0001\ud800é' });
    await play('8-web');
    await sync.sync();
    const [{ headers, text } = { headers: {}, text: '' }] = server.received;
    expect(headers).toMatchObject({ 'content-type': 'text/xml; charset=utf-8' });
    const parser = new XMLParser({ parseTagValue: false });
    const stream = (players: unknown[]) => ({ name: 'show', Player: players });
    const player = { ip: '192.0.2.1', delta: '0', bytes_sent: '0' };
    const players = [
      { id: '7-web', ...player, sessionid: session.id, user_agents: 'a<b>&"\'??é' },
      { id: '8-web', ...player, sessionid: expect.any(String), user_agents: 'VLC' },
    ];
    expect(parser.parse(text)).toEqual({
      '?xml': '',
      ApiSyncRequest: {
        ID: 'edge-1',
        Signature: '',
        Puzzle: UUID,
        PayPerViewInfo: {
          VHost: {
            name: '_defaultVHost_',
            Application: { name: 'live', Instance: { name: '_definst_', Stream: stream(players) } },
          },
        },
      },
    });
  });

  it('says what was watched since the last sync that was answered', async () => {
    const { sync, play, time } = await syncWith();
    const anna = await play('anna');
    const figures = () =>
      server.received.map(({ text }) => /"delta":(\d+),"bytes_sent":(\d+)/.exec(text)?.slice(1).map(Number));
    const step = async (status: number) => {
      server.answer = () => ({ status, body: '{}' });
      anna.sent += 10;
      time.ms += 1000;
      await sync.sync();
    };
    for (const status of [200, 500, 200, 200]) await step(status);
    expect(figures()).toEqual([
      [1000, 10],
      [1000, 10],
      [2000, 20],
      [1000, 10],
    ]);
  });

  it('leaves the report to the server that is elected, and goes on from there when it is itself', async () => {
    let elected = false;
    const { play, time, registry } = await syncWith('', () => elected);
    const anna = await play('anna');
    anna.sent = 1000;
    const looked = vi.spyOn(registry, 'list');
    time.ms += 10_000;
    await until('it has looked, and not told', () => looked.mock.calls.length > 0);
    expect(server.received).toEqual([]);
    elected = true;
    anna.sent += 7;
    time.ms += 10_000;
    await until('it reports', () => server.received.length === 1);
    expect(server.received[0]?.text).toContain('"delta":10000,"bytes_sent":7,');
  });

  it('reports that nobody watches: whoever is being ended does not count', async () => {
    const { sync, gate, registry } = await syncWith();
    const { session } = await gate.admit({
      action: 'play',
      protocol: 'http-flv',
      path: 'live/show',
      ip: '192.0.2.1',
      credentials: { user: 'anna' },
      query: new URLSearchParams(),
    });
    registry.cut(session.id, 'kicked');
    await sync.sync();
    expect(server.bodies).toEqual([{ ID: 'edge-1', Signature: '', Puzzle: UUID, PayPerViewInfo: {} }]);
  });

  it("signs as callbacks are signed, and as WMSPanel's handlers check", async () => {
    const { sync } = await syncWith(`secret: ${SECRET}`);
    await sync.sync();
    const { headers, text } = server.received[0]!;
    const [, time, mac] = /^t=(\d+),v1=(.+)$/.exec(String(headers['sluice-signature'])) ?? [];
    expect(createHmac('sha256', SECRET).update(`${time}.${text}`).digest('hex')).toBe(mac);
    const { ID, Puzzle, Signature } = JSON.parse(text) as Record<string, string>;
    expect(createHash('md5').update(`${ID}${Puzzle}${SECRET}`).digest('base64')).toBe(Signature);
    expect(text).not.toContain(SECRET);
  });

  it.each([
    ['our JSON', () => ({ deny: { ids: ['anna'] } })],
    ["WMSPanel's JSON", () => ({ DenyList: { ID: ['anna'] } })],
    ["WMSPanel's XML", () => '<ApiSyncResponse><Solution/><DenyList><ID>anna</ID></DenyList></ApiSyncResponse>'],
    ['an address', () => ({ deny: { ips: ['::ffff:192.0.2.7'] } })],
    ['a block of addresses', () => ({ deny: { ips: ['192.0.2.4/30'] } })],
    ['a token', () => ({ deny: { tokens: ['token-of-anna'] } })],
    ['a session', (id: string) => ({ deny: { sessions: [id, 'unknown'] } })],
  ])('cuts off at once who is denied, and keeps them out for as long: %s', async (_, answer) => {
    const { sync, play, cut, time, bans, audited } = await syncWith('denySeconds: 100');
    const who = { ip: '192.0.2.7' };
    const anna = await play('anna', who);
    await play('bert');
    const body = answer(anna.session.id);
    server.answer = () => ({ body: typeof body === 'string' ? body : JSON.stringify(body) });
    await sync.sync();
    expect([...cut]).toEqual([[anna.session.id, 'banned: denied by sync.url']]);
    await expect(play('anna', who)).rejects.toMatchObject({ code: 'banned' });
    expect(audited).toMatchObject([{ actor: 'system', action: 'ban.add', result: 'ok', detail: 'sync' }]);
    expect(bans.list()).toHaveLength(1);
    time.ms += 99_999;
    await expect(play('anna', who)).rejects.toMatchObject({ code: 'banned' });
    time.ms += 1;
    await expect(play('anna', who)).resolves.toBeDefined();
  });

  it('takes the time to live from the answer, and adds no ban that is in force', async () => {
    const { sync, bans, time, logged } = await syncWith('denySeconds: 100');
    server.answer = () => ({ body: '{"deny":{"ids":["anna","anna"],"ips":["nonsense","10.0.0.1"]},"ttlSeconds":5}' });
    await sync.sync();
    await sync.sync();
    expect(bans.list()).toMatchObject([
      { kind: 'viewer', value: 'anna', expiresAt: time.ms + 5000 },
      { kind: 'ip', value: '10.0.0.1', createdBy: 'sync' },
    ]);
    expect(logged.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { ip: 'nonsense' } }, {}]);
    time.ms += 5000;
    await sync.sync();
    expect(bans.list()).toHaveLength(2);
  });

  it.each([
    ['an error', () => ({ status: 503, body: '{"deny":{"ids":["anna"]}}' })],
    ['no deny list', () => ({ body: 'Could not connect' })],
    ['too long an answer', () => ({ body: ' '.repeat(1024 * 1024 + 1) })],
    [
      'an entity bomb',
      () => ({
        body: '<!DOCTYPE x [<!ENTITY a "anna">]><ApiSyncResponse><DenyList><ID>&a;</ID></DenyList></ApiSyncResponse>',
      }),
    ],
  ])('changes nothing where the answer is %s, and says so once', async (_, answer) => {
    const { sync, play, cut, bans, logged } = await syncWith();
    await play('anna');
    server.answer = answer;
    await sync.sync();
    await sync.sync();
    expect([cut.size, bans.list()]).toEqual([0, []]);
    expect(logged.map(({ message }) => message)).toEqual(['the sync of sessions failed, and is tried again']);
    server.answer = () => ({ body: '' });
    await sync.sync();
    expect(logged.map(({ message }) => message)).toEqual([expect.any(String), 'sync.url answers again']);
  });

  it('never runs twice at a time', async () => {
    let answer = () => {};
    server.answer = () => new Promise((resolve) => (answer = () => resolve({ body: '{}' })));
    const { sync } = await syncWith();
    const both = Promise.all([sync.sync(), sync.sync()]);
    await until('it is asked', () => server.received.length > 0);
    answer();
    await both;
    expect(server.received).toHaveLength(1);
  });

  it('runs by itself when its time has come, also when the interval was changed meanwhile', async () => {
    const { time, configure, sync } = await syncWith('intervalSeconds: 3600');
    time.ms += 10_000;
    configure(`sync: { url: "${server.url('/ppv')}", intervalSeconds: 10 }`);
    await until('it has run', () => server.received.length === 1);
    expect(server.bodies).toMatchObject([{ ID: 'host.example.org' }]);
    configure('');
    await sync.sync();
    expect(server.received).toHaveLength(1);
  });
});
