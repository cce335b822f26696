import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clip, makeClip } from './support/clip.js';
import { type ClusterNode, startNode } from './support/cluster-nodes.js';
import { NatsServer } from './support/nats-server.js';
import { ClipPublisher } from './support/publisher.js';
import { until } from './support/until.js';
import { httpFlvViewer, type TestViewer } from './support/viewers.js';

describe('a cluster of three nodes', () => {
  let nats: NatsServer;
  let nodes: ClusterNode[];
  let clip: Clip;
  beforeAll(async () => {
    nats = await NatsServer.start();
    clip = await makeClip('h264', 4);
    nodes = await Promise.all([2, 3, 4].map((number) => startNode(number, nats.url)));
  });
  afterAll(async () => {
    await Promise.all(nodes.map(({ process }) => process.stop()));
    await nats.stop();
  });

  it('plays', async () => {
    const [a, b] = nodes;
    if (a === undefined || b === undefined) throw new Error('three nodes');
    const publisher = await ClipPublisher.start(`${a.rtmp}/live/show`, clip, { loop: true });
    const viewer: TestViewer = await httpFlvViewer(`${b.http}/live/show.flv`);
    await until('pictures', () => viewer.samples.length > 100);
    expect(viewer.samples.length).toBeGreaterThan(10);
    await viewer.leave();
    await publisher.stop();
  });
});
