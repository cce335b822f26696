import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { type ClusterNode, startNode } from './support/cluster-nodes.js';
import { NatsServer } from './support/nats-server.js';
import { ClipPublisher } from './support/publisher.js';
import { API_TOKEN } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer, type TestViewer } from './support/viewers.js';

interface Listed {
  readonly total: number;
  readonly sessions: readonly {
    readonly id: string;
    readonly node: string;
    readonly action: string;
    readonly path: string;
    readonly ip: string;
    readonly sent: number;
  }[];
}

interface ToldCluster {
  readonly state: string;
  readonly nodes: readonly { name: string; state: string; role: string; elected: boolean; revision: number }[];
}

/** What HTTP-FLV answers to a viewer at an address of its own; it stays for as long as the test wants. */
function viewerAt(ip: string, url: string): Promise<{ status: number; readonly ended: boolean; leave(): void }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { localAddress: ip, agent: false }, (response) => {
      let ended = false;
      response.resume();
      response.on('error', () => undefined);
      response.on('close', () => {
        ended = true;
      });
      resolve({
        status: response.statusCode ?? 0,
        get ended() {
          return ended;
        },
        leave: () => void request.destroy(),
      });
    });
    request.on('error', reject);
  });
}

describe('three nodes with a NATS server', () => {
  let nats: NatsServer;
  let directory: string;
  const nodes: ClusterNode[] = [];
  let publisher: ClipPublisher;
  const node = (at: number): ClusterNode => {
    const found = nodes[at];
    if (found === undefined) throw new Error(`there is no node ${at}`);
    return found;
  };
  const start = (at: number) => startNode(at + 2, nats.url, { SLUICE_API_TOKEN: API_TOKEN }, join(directory, `${at}`));
  const cluster = async (at: number) => (await api<ToldCluster>(node(at), 'GET', '/api/v2/cluster')).body;
  const sessions = async (at: number, query = '') =>
    (await api<Listed>(node(at), 'GET', `/api/v2/sessions?limit=1000${query}`)).body;
  const knowsAll = (at: number) => async () => {
    const { nodes: known } = await cluster(at);
    return known.filter(({ state }) => state === 'serving').length === 3;
  };
  beforeAll(async () => {
    nats = await NatsServer.start();
    directory = await mkdtemp(join(tmpdir(), 'sluice-cluster-'));
    for (const at of [0, 1, 2]) await mkdir(join(directory, `${at}`));
    // One after the other: three at once are a lot for a machine with two cores.
    for (const at of [0, 1, 2]) nodes.push(await start(at));
    publisher = await ClipPublisher.start(`${node(0).rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    for (const at of [0, 1, 2]) await until(`node ${at} knows all`, knowsAll(at));
  });
  afterAll(async () => {
    await publisher.stop();
    await Promise.all(nodes.map(({ process }) => process.stop()));
    await nats.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('know of each other, and elect one', async () => {
    await until('all know who is elected', async () => {
      const elected = await Promise.all(
        [0, 1, 2].map(async (at) => (await cluster(at)).nodes.filter((one) => one.elected)),
      );
      const names = elected.map((ones) => ones.map(({ name }) => name).join());
      return names[0] !== '' && !names[0]?.includes(',') && new Set(names).size === 1;
    });
    await until('the origin is told', async () => (await cluster(2)).nodes.some(({ role }) => role === 'origin'));
    const { state, nodes: known } = await cluster(2);
    expect(state).toBe('connected');
    expect(known.map(({ name, role }) => [name, role])).toEqual([
      ['node-4', 'edge'],
      ['node-2', 'origin'],
      ['node-3', 'edge'],
    ]);
    const metrics = await (
      await fetch(`${node(1).api}/metrics`, { headers: { Authorization: `Bearer ${API_TOKEN}` } })
    ).text();
    expect(metrics).toMatch(/^sluice_cluster_nodes\{state="serving"\} 3$/m);
  });

  it('show all sessions and streams on each API, and end those of the others', async () => {
    const viewer = await httpFlvViewer(`${node(2).http}/live/show.flv`);
    await until('it plays', () => viewer.samples.length > 0);
    const ofC = async () => (await sessions(0, '&node=node-4')).sessions;
    await until('A shows it', async () => (await ofC()).length === 1, 2000);
    const [session] = await ofC();
    expect(session).toMatchObject({ node: 'node-4', action: 'play', path: 'live/show' });
    await until('C shows the publisher', async () => (await sessions(2, '&action=publish')).sessions.length === 1);
    expect((await sessions(2, '&action=publish')).sessions).toMatchObject([{ node: 'node-2' }]);
    await until('B shows the stream with its viewers', async () => {
      const { body } = await api<{ streams: object[] }>(node(1), 'GET', '/api/v2/streams');
      return JSON.stringify(body.streams.map((stream) => ({ ...stream }))).includes('"node":"node-2"');
    });
    const { body } = await api<{ streams: { path: string }[] }>(node(2), 'GET', '/api/v2/streams');
    expect(body.streams).toMatchObject([{ path: 'live/show', node: 'node-2' }]);
    const began = performance.now();
    expect((await api(node(0), 'DELETE', `/api/v2/sessions/${session?.id}`)).status).toBe(200);
    await until('the viewer on C is cut', () => viewer.ended, 1000);
    process.stdout.write(`a kick on A ended a viewer on C after ${Math.round(performance.now() - began)} ms\n`);
    await until('A shows it no more', async () => (await ofC()).length === 0, 1000);
    expect((await api(node(0), 'DELETE', `/api/v2/sessions/${session?.id}`)).status).toBe(404);
  });

  it('share settings that are changed by API, and keep what is about one machine', async () => {
    const change = { 'sessions.perStream': 3, 'drain.publisherSeconds': 99 };
    expect((await api(node(1), 'PATCH', '/api/v2/config', change)).status).toBe(200);
    const setting = async (at: number, key: string) => {
      const { body } = await api<{ settings: { key: string; value: unknown; source: string }[] }>(
        node(at),
        'GET',
        '/api/v2/config',
      );
      return body.settings.find((one) => one.key === key);
    };
    for (const at of [0, 2]) {
      const there = async () => (await setting(at, 'sessions.perStream'))?.value === 3;
      await until(`it is in force on ${at}`, there, 2000);
      expect(await setting(at, 'drain.publisherSeconds')).toMatchObject({ value: 30 });
    }
  });

  it('hold limits together, also when all let in somebody at once', async () => {
    const counted = async () => (await sessions(0, '&path=live/show')).sessions.length;
    const viewer = await viewerAt('127.0.0.1', `${node(1).http}/live/show.flv`);
    await until('there are a publisher and a viewer', async () => (await counted()) === 2);
    const rush = await Promise.all(
      [0, 1, 2, 0, 1, 2].map((at) => viewerAt('127.0.0.1', `${node(at).http}/live/show.flv`)),
    );
    const inside = () => rush.filter(({ status, ended }) => status === 200 && !ended).length;
    await until('one of them stays', () => inside() === 1, 2000);
    await until('all count three', async () => {
      const counts = await Promise.all(
        [0, 1, 2].map(async (at) => (await sessions(at, '&path=live/show')).sessions.length),
      );
      return counts.every((count) => count === 3);
    });
    expect((await viewerAt('127.0.0.1', `${node(2).http}/live/show.flv`)).status).toBe(429);
    expect([viewer.ended, inside()]).toEqual([false, 1]);
    for (const one of [viewer, ...rush]) one.leave();
    await api(node(0), 'DELETE', '/api/v2/config/sessions.perStream');
    const free = async () => (await viewerAt('127.0.0.1', `${node(2).http}/live/show.flv`)).status === 200;
    await until('the limit is gone everywhere', free, 3000);
  });

  it('keep out together who is banned, and let nobody in with a key that was revoked', async () => {
    const viewer = await viewerAt('127.0.0.9', `${node(2).http}/live/show.flv`);
    expect(viewer.status).toBe(200);
    const key = await api<{ streamKey: { id: string }; key: string }>(node(1), 'POST', '/api/v2/stream-keys', {
      label: 'test',
      action: 'publish',
      path: 'vip/*',
    });
    expect(key.status).toBe(201);
    const guarded = { paths: { 'vip/*': { access: { publish: 'credential' } } } };
    expect((await api(node(1), 'PATCH', '/api/v2/config', guarded)).status).toBe(200);
    const clip = await makeClip('h264', 2);
    let closed = false;
    const withKey = () =>
      ClipPublisher.start(`${node(2).rtmp}/vip/show?key=${key.body.key}`, clip, {
        loop: true,
        onClose: () => {
          closed = true;
        },
      });
    let vip: ClipPublisher | undefined;
    await until('the key is known on C', async () => {
      vip = await withKey().catch(() => undefined);
      return vip !== undefined;
    });
    expect((await api(node(0), 'POST', '/api/v2/bans', { kind: 'ip', value: '127.0.0.9' })).status).toBe(201);
    await until('the viewer on C is cut', () => viewer.ended, 1000);
    expect((await api(node(0), 'DELETE', `/api/v2/stream-keys/${key.body.streamKey.id}`)).status).toBe(204);
    await until('the publisher on C is cut', () => closed, 1000);
    await vip?.stop();
    await expect(withKey()).rejects.toThrow(/Denied/);
  });

  it('know the same users', async () => {
    const password = 'a password that is long enough Not4Logs';
    const made = { name: 'anna', password, role: 'viewer' };
    expect((await api(node(1), 'POST', '/api/v2/users', made)).status).toBe(201);
    const basic = { Authorization: `Basic ${Buffer.from(`anna:${password}`).toString('base64')}` };
    const asAnna = async () => (await api(node(2), 'GET', '/api/v2/sessions', undefined, basic)).status;
    await until('she is known on C', async () => (await asAnna()) === 200, 3000);
    const names = async (at: number) => {
      const { body } = await api<{ users: { name: string }[] }>(node(at), 'GET', '/api/v2/users');
      return body.users.map(({ name }) => name).sort();
    };
    for (const at of [0, 1, 2]) expect(await names(at)).toEqual(['admin', 'anna']);
    await until('all tell that they agree', async () => {
      const revisions = (await cluster(1)).nodes.map(({ revision }) => revision);
      return new Set(revisions).size === 1 && (revisions[0] ?? 0) > 0;
    });
  });

  it('keep what they share: over a restart, without NATS', async () => {
    await nats.crash();
    await until('C is alone', async () => (await cluster(2)).state === 'alone', 20_000);
    await node(2).process.stop();
    nodes[2] = await start(2);
    await until('it refuses who is banned', async () => {
      const { status } = await viewerAt('127.0.0.9', `${node(2).http}/live/show.flv`);
      return status === 403;
    });
  });

  it('go on by themselves while NATS is away, and heal when it is back', async () => {
    const viewer: TestViewer = await httpFlvViewer(`${node(0).http}/live/show.flv`);
    const before = viewer.samples.length;
    expect((await api(node(1), 'POST', '/api/v2/bans', { kind: 'ip', value: '127.0.0.8' })).status).toBe(201);
    const { body } = await api<{ bans: { id: string; value: string }[] }>(node(0), 'GET', '/api/v2/bans');
    const lifted = body.bans.find(({ value }) => value === '127.0.0.9');
    expect((await api(node(0), 'DELETE', `/api/v2/bans/${lifted?.id}`)).status).toBe(204);
    await until('media within A goes on', () => viewer.samples.length > before + 20);
    await nats.begin();
    for (const at of [0, 1, 2]) await until(`node ${at} knows all again`, knowsAll(at), 20_000);
    await until('the ban that B made holds on C, and the one that A lifted does not', async () => {
      const statuses = await Promise.all(
        ['127.0.0.8', '127.0.0.9'].map(async (ip) => {
          const one = await viewerAt(ip, `${node(2).http}/live/show.flv`);
          one.leave();
          return one.status;
        }),
      );
      return statuses.join() === '403,200';
    });
    expect(viewer.ended).toBe(false);
    await viewer.leave();
  });
});
