import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RtmpError } from '@sluice/rtmp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { type Clip, makeClip } from './support/clip.js';
import { type ClusterNode, startNode } from './support/cluster-nodes.js';
import { IS_LONG } from './support/long.js';
import { NatsServer } from './support/nats-server.js';
import { ClipPublisher } from './support/publisher.js';
import { API_TOKEN } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer, type TestViewer } from './support/viewers.js';

/** An encoder as they are: it knows where to publish, goes where it is sent, and comes back when it is cut. */
class StubbornPublisher {
  /** Milliseconds for which nobody took its media. */
  readonly gaps: number[] = [];
  readonly #urls: () => readonly string[];
  readonly #clip: Clip;
  #current: ClipPublisher | undefined;
  #stopped = false;

  constructor(urls: () => readonly string[], clip: Clip) {
    this.#urls = urls;
    this.#clip = clip;
  }

  async publish(): Promise<void> {
    const lostAt = performance.now();
    let wanted: string | undefined;
    for (let turn = 0; !this.#stopped; turn++) {
      const urls = this.#urls();
      let taken = false;
      const onClose = () => {
        if (!taken) return;
        this.#current?.kill();
        if (!this.#stopped) void this.publish();
      };
      try {
        const url = wanted ?? urls[turn % urls.length] ?? '';
        this.#current = await ClipPublisher.start(url, this.#clip, { loop: true, onClose });
        taken = true;
        this.gaps.push(performance.now() - lostAt);
        return;
      } catch (error) {
        wanted = error instanceof RtmpError ? error.redirect : undefined;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#current?.stop();
  }
}

/** A player that goes where it is sent, and comes back when it is cut. */
class StubbornViewer {
  got = 0;
  readonly #urls: () => readonly string[];
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(urls: () => readonly string[]) {
    this.#urls = urls;
    this.#running = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #watch(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const urls = this.#urls();
      const viewer = await this.#open(urls[turn % urls.length] ?? '');
      const before = this.got;
      while (viewer !== undefined && !viewer.ended && !this.#stopped) {
        this.got = before + viewer.samples.length;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await viewer?.leave();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** fetch finds out where it is sent. */
  async #open(url: string): Promise<TestViewer | undefined> {
    try {
      const { status, headers } = await fetch(url, { method: 'HEAD', redirect: 'manual' });
      return await httpFlvViewer(status === 307 ? (headers.get('location') ?? url) : url);
    } catch {
      return undefined;
    }
  }
}

describe.runIf(IS_LONG)('three nodes that are restarted one after the other', () => {
  let nats: NatsServer;
  let directory: string;
  const nodes: ClusterNode[] = [];
  beforeAll(async () => {
    nats = await NatsServer.start();
    directory = await mkdtemp(join(tmpdir(), 'sluice-rolling-'));
    for (const at of [0, 1, 2]) await mkdir(join(directory, `${at}`));
    // One after the other: three at once are a lot for a machine with two cores.
    for (const at of [0, 1, 2]) nodes.push(await start(at));
    for (const node of nodes) await until(`${node.name} knows all`, () => knowsAll(node));
  });
  const stubborn: { stop(): Promise<void> }[] = [];
  afterAll(async () => {
    await Promise.all(stubborn.map((one) => one.stop()));
    await Promise.all(nodes.map(({ process }) => process.stop()));
    await nats.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Its ports are free ones, so that it can say only now where it is reached. */
  async function start(at: number): Promise<ClusterNode> {
    const node = await startNode(at + 2, nats.url, { SLUICE_API_TOKEN: API_TOKEN }, join(directory, `${at}`));
    await api(node, 'PATCH', '/api/v2/config', { 'cluster.advertise': [node.http, node.rtmp] });
    return node;
  }

  async function knowsAll(node: ClusterNode): Promise<boolean> {
    const { body } = await api<{ nodes: { state: string; urls: string[] }[] }>(node, 'GET', '/api/v2/cluster');
    return body.nodes.filter(({ state, urls }) => state === 'serving' && urls.length > 0).length === 3;
  }

  it('lose no publisher for longer than the grace window, and no viewer either', async () => {
    const publisher = new StubbornPublisher(
      () => nodes.map(({ rtmp }) => `${rtmp}/live/show`),
      await makeClip('h264', 2),
    );
    stubborn.push(publisher);
    await publisher.publish();
    const viewers = [0, 1, 2].map(
      (first) => new StubbornViewer(() => [0, 1, 2].map((at) => `${nodes[(first + at) % 3]?.http}/live/show.flv`)),
    );
    stubborn.push(...viewers);
    await until('all watch', () => viewers.every(({ got }) => got > 0));
    for (const at of [0, 1, 2]) {
      const node = nodes[at];
      if (node === undefined) throw new Error('there are three');
      await api(node, 'POST', '/api/v2/drain', { viewerSeconds: 0.5, publisherSeconds: 1 });
      expect(await node.process.exited).toBe(0);
      const others = nodes.filter((other) => other !== node);
      const got = viewers.map((viewer) => viewer.got);
      await until(`all watch without ${node.name}`, () => viewers.every((viewer, of) => viewer.got > (got[of] ?? 0)));
      await until('nobody counts on it any more', async () => {
        const { body } = await api<{ nodes: { state: string }[] }>(others[0] ?? node, 'GET', '/api/v2/cluster');
        return body.nodes.filter(({ state }) => state === 'serving').length === 2;
      });
      nodes[at] = await start(at);
      for (const one of nodes) await until(`${one.name} knows all`, () => knowsAll(one));
    }
    const [, ...gaps] = publisher.gaps;
    process.stdout.write(`the publisher was away for ${gaps.map((gap) => Math.round(gap)).join(', ')} ms\n`);
    expect(gaps.length).toBeGreaterThan(0);
    expect(Math.max(...gaps)).toBeLessThan(10_000);
  });
});
