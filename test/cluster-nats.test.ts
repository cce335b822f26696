import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsLink } from '@sluice/cluster';
import { loadConfig, silentLogger } from '@sluice/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeTestCertificate, type TestCertificate } from './support/certificate.js';
import { makeClip } from './support/clip.js';
import { type ClusterNode, startNode } from './support/cluster-nodes.js';
import { freePort } from './support/free-port.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher, exited } from './support/publisher.js';
import { API_TOKEN } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

const page = await readFile(new URL('../docs/cluster.md', import.meta.url), 'utf8');
/** The NATS configurations of the page: that of a hub, and that of a leaf. */
const [hubConfig = '', leafConfig = ''] = [...page.matchAll(/^( *)```text\n([\s\S]*?)^ *```/gm)].map(
  ([, , block = '']) => block,
);

describe.runIf(IS_LONG)('NATS as the page on clusters has it: TLS, permissions and a leaf node', () => {
  let directory: string;
  let certificate: TestCertificate;
  const ports = { hub: 0, leaf: 0, leafLine: 0 };
  const servers: ChildProcess[] = [];
  const nodes: ClusterNode[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-nats-page-'));
    certificate = await makeTestCertificate(directory);
    for (const name of ['hub', 'leaf', 'leafLine'] as const) ports[name] = await freePort();
    await natsServer('hub', hubConfig.replace('port: 4222', `port: ${ports.hub}`));
    await natsServer('leaf', leafConfig.replace('port: 4222', `port: ${ports.leaf}`));
    for (const [number, port] of [
      [2, ports.hub],
      [3, ports.leaf],
    ] as const) {
      const scheme = port === ports.hub ? 'tls' : 'nats';
      const node = await startNode(number, `${scheme}://127.0.0.1:${port}`, {
        SLUICE_API_TOKEN: API_TOKEN,
        SLUICE_CLUSTER_NATS_DOMAIN: 'hub',
        SLUICE_CLUSTER_NATS_USER: 'node',
        SLUICE_CLUSTER_NATS_PASSWORD: 'a long password',
        ...(port === ports.hub ? { SLUICE_CLUSTER_NATS_TLS_CA_FILE: certificate.caFile } : {}),
      });
      nodes.push(node);
    }
  });
  afterAll(async () => {
    await Promise.all(nodes.map(({ process }) => process.stop()));
    for (const server of servers) {
      server.kill('SIGKILL');
      await exited(server);
    }
    await rm(directory, { recursive: true, force: true });
  });

  /** A nats-server with what the page says, with files and ports of this test. */
  async function natsServer(name: string, config: string): Promise<void> {
    const file = join(directory, `${name}.conf`);
    const own = config
      .replaceAll('/var/lib/nats', join(directory, 'jetstream'))
      .replaceAll('/etc/nats/cert.pem', certificate.certFile)
      .replaceAll('/etc/nats/key.pem', certificate.keyFile)
      .replaceAll('/etc/nats/ca.pem', certificate.caFile)
      .replaceAll('port: 7422', `port: ${ports.leafLine}`)
      .replaceAll('nats.example.org:7422', `127.0.0.1:${ports.leafLine}`);
    await writeFile(file, own);
    const server = spawn('nats-server', ['-a', '127.0.0.1', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    servers.push(server);
    let log = '';
    server.stderr.on('data', (chunk) => {
      log += chunk;
    });
    await until(`${name} is ready: ${log}`, () => log.includes('Server is ready') || server.exitCode !== null);
    expect(server.exitCode, log).toBeNull();
  }

  it('is enough for all that nodes do, also through the leaf', async () => {
    const [hub, leaf] = nodes;
    if (hub === undefined || leaf === undefined) throw new Error('there are two');
    await until('they know of each other', async () => {
      const { body } = await api<{ nodes: { state: string }[] }>(leaf, 'GET', '/api/v2/cluster');
      return body.nodes.length === 2;
    });
    const publisher = await ClipPublisher.start(`${hub.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const viewer = await httpFlvViewer(`${leaf.http}/live/show.flv`);
    await until('a stream of the hub plays behind the leaf', () => viewer.samples.length > 20);
    await viewer.leave();
    await publisher.stop();
    expect((await api(leaf, 'POST', '/api/v2/bans', { kind: 'ip', value: '192.0.2.1' })).status).toBe(201);
    await until('a ban from behind the leaf is in force at the hub', async () => {
      const { body } = await api<{ bans: { value: string }[] }>(hub, 'GET', '/api/v2/bans');
      return body.bans.some(({ value }) => value === '192.0.2.1');
    });
    const elected = await api<{ nodes: { elected: boolean }[] }>(leaf, 'GET', '/api/v2/cluster');
    expect(elected.body.nodes.filter((node) => node.elected)).toHaveLength(1);
  });

  it('lets nobody in without the password, and a node nowhere else', async () => {
    const { nats } = loadConfig({
      environment: {
        SLUICE_CLUSTER_NATS_SERVERS: `tls://127.0.0.1:${ports.hub}`,
        SLUICE_CLUSTER_NATS_TLS_CA_FILE: certificate.caFile,
        SLUICE_CLUSTER_NATS_USER: 'node',
      },
    }).cluster;
    const said: unknown[] = [];
    const log = { ...silentLogger, warn: (fields: { detail?: unknown }) => void said.push(fields.detail) };
    const linkWith = (settings: typeof nats) => new NatsLink({ settings, name: 'test', log, random: () => 0 });
    const stranger = linkWith({ ...nats, password: 'a wrong password' });
    await until('it is refused', () => said.some((detail) => /authorization/i.test(String(detail))));
    await stranger.close();
    const node = linkWith({ ...nats, password: 'a long password' });
    node.use({ up: (connection) => connection.publish('other.subject', 'x'), down: () => undefined });
    await until('it is told so', () => said.some((detail) => /permissions violation/i.test(String(detail))));
    await node.close();
  });
});
