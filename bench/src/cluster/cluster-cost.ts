import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlvTag } from '@sluice/media';
import type { CorePlan } from '../cores.js';
import { usageOf } from '../proc-stat.js';
import { Publishers, streamOf } from '../recording/publishers.js';
import { freePort, type Launched, launch, makeFolder } from '../targets/launch.js';
import { SERVER_ARGS } from '../targets/server-command.js';

export interface ClusterCostOptions {
  readonly plan: CorePlan;
  readonly clip: readonly FlvTag[];
  readonly streams: number;
  readonly edges: number;
  readonly seconds: number;
}

/** What it cost that so many edges had all streams of an origin, one viewer each. CPU of one core. */
export interface ClusterCost {
  readonly edges: number;
  readonly mbps: number;
  readonly origin: number;
  readonly nats: number;
  /** Of all edges. */
  readonly edge: number;
  /** Of one edge, in MiB. */
  readonly edgeMib: number;
  /** Of what edges' viewers should have got, what they have. */
  readonly arrived: number;
}

const WARM_UP_MS = 4000;
const HOST = '127.0.0.1';

interface Node extends Launched {
  readonly rtmp: number;
  readonly http: number;
}

/** A fresh cluster: an origin with all streams, a NATS server, and edges. Nothing is held to a core: there are more processes than cores. */
export async function measureCluster(options: ClusterCostOptions): Promise<ClusterCost> {
  const { clip, streams, edges, seconds } = options;
  const plan = { ...options.plan, pinned: false };
  const started: Launched[] = [];
  const leave: (() => void)[] = [];
  try {
    const natsPort = await freePort();
    const folder = await makeFolder('nats');
    const args = ['-a', HOST, '-p', String(natsPort), '-js', '-sd', folder];
    const nats = await launch(plan, { command: 'nats-server', args, folder, ports: [natsPort] });
    started.push(nats);
    const nodeOf = async (name: string): Promise<Node> => {
      const node = await startNode(plan, name, natsPort);
      started.push(node);
      return node;
    };
    const origin = await nodeOf('origin');
    const others: Node[] = [];
    for (let at = 0; at < edges; at++) others.push(await nodeOf(`edge-${at}`));
    const publishers = await Publishers.start(`rtmp://${HOST}:${origin.rtmp}`, clip, streams);
    leave.push(() => void publishers.close());
    await sleep(WARM_UP_MS);
    const count = { bytes: 0 };
    for (const { http } of others) {
      for (let at = 0; at < streams; at++) leave.push(await watch(`http://${HOST}:${http}/${streamOf(at)}.flv`, count));
    }
    await sleep(WARM_UP_MS);
    const look = () => ({
      at: performance.now(),
      sent: publishers.bytes,
      got: count.bytes,
      origin: usageOf([origin.pid]).cpuSeconds,
      nats: usageOf([nats.pid]).cpuSeconds,
      edge: usageOf(others.map(({ pid }) => pid)).cpuSeconds,
    });
    const before = look();
    await sleep(seconds * 1000);
    const after = look();
    const lasted = (after.at - before.at) / 1000;
    const part = (key: 'origin' | 'nats' | 'edge') => (after[key] - before[key]) / lasted;
    const sent = after.sent - before.sent;
    return {
      edges,
      mbps: (sent * 8) / 1e6 / lasted,
      origin: part('origin'),
      nats: part('nats'),
      edge: part('edge'),
      edgeMib: edges === 0 ? 0 : usageOf(others.map(({ pid }) => pid)).residentMib / edges,
      arrived: edges === 0 ? 1 : (after.got - before.got) / (sent * edges),
    };
  } finally {
    for (const each of leave) each();
    for (const each of started.reverse()) await each.stop();
  }
}

async function startNode(plan: CorePlan, name: string, natsPort: number): Promise<Node> {
  const [rtmp, http] = [await freePort(), await freePort()];
  const server = await launch(plan, {
    command: process.execPath,
    args: [...SERVER_ARGS, 'serve'],
    env: {
      NODE_ENV: 'production',
      SLUICE_RTMP_PORT: String(rtmp),
      SLUICE_HTTP_PORT: String(http),
      SLUICE_API_ENABLED: 'false',
      SLUICE_SRT_ENABLED: 'false',
      SLUICE_WEBRTC_ENABLED: 'false',
      SLUICE_LOG_LEVEL: 'warn',
      SLUICE_CLUSTER_NATS_SERVERS: `nats://${HOST}:${natsPort}`,
      SLUICE_CLUSTER_NODE: name,
    },
    folder: await makeFolder(name),
    ports: [rtmp, http],
  });
  return { ...server, rtmp, http };
}

/** A viewer that counts bytes. */
function watch(url: string, count: { bytes: number }): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url}: HTTP ${response.statusCode}`));
      response.on('data', (bytes: Buffer) => {
        count.bytes += bytes.length;
      });
      response.on('error', () => undefined);
      resolve(() => void request.destroy());
    });
    request.on('error', reject);
  });
}
