import { ClusterStreams, NatsLink, relayOutputKind } from '@sluice/cluster';
import {
  EventBus,
  type IdentityKind,
  loadConfig,
  type Output,
  parseStreamPath,
  type Session,
  type StreamPath,
  StreamRouter,
  silentLogger,
  systemClock,
} from '@sluice/core';
import { h264TrackConfig, type MediaEvent, micros, millis, type Sample } from '@sluice/media';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CuttableLine } from './support/cuttable-line.js';
import { NatsServer } from './support/nats-server.js';
import { until } from './support/until.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO: MediaEvent = { type: 'config', config: h264TrackConfig(0, Buffer.from(AVCC, 'hex')) };
const FRAME = Buffer.alloc(20_000, 7);
const LEASE_MS = 1500;
const PATH = parseStreamPath('live/a.show');
const ENCODER = { action: 'publish', protocol: 'rtmp', path: PATH } as const;

/** Of a stream here, what a viewer has of it. */
class Watcher implements Output {
  readonly samples: Sample[] = [];
  viewers = 1;
  idleSince: Output['idleSince'];
  ended: string | undefined;

  configure(): void {}
  sample(sample: Sample): void {
    this.samples.push(sample);
  }
  discontinuity(): void {}
  end(reason: string): void {
    this.ended = reason;
  }
  sweep(): void {}
  /** Where pictures are missing: from when to when, in ms. */
  get holes(): string[] {
    const times = this.samples.map(({ dts }) => Math.round(dts / 1000));
    return times.flatMap((at, index) => {
      const before = times[index - 1];
      return before === undefined || at === before + 40 ? [] : [`${before} to ${at}`];
    });
  }
}

describe('streams in a cluster', () => {
  let nats: NatsServer;
  const closers: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    nats = await NatsServer.start();
  });
  afterEach(async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  });
  afterAll(() => nats.stop());

  /** A node without doors, in this process. */
  function nodeOf(name: string, { text = '', url = nats.url } = {}) {
    const config = loadConfig({ file: { name: 'x.yml', text: `cluster: { nats: { servers: ["${url}"] } }\n${text}` } });
    const events = new EventBus(silentLogger);
    const log = silentLogger;
    const router: StreamRouter = new StreamRouter({
      ...{ clock: systemClock, events, settingsFor: () => config, convertSound: () => undefined },
      fetcher: { canFetch: (path) => streams.canFetch(path), fetch: (path) => streams.fetch(path) },
    });
    const link = new NatsLink({ settings: config.cluster.nats, name, log, random: Math.random });
    const controls = new Map<string, (reason: string) => void>();
    const cuts: string[] = [];
    let numbers = 0;
    const streams: ClusterStreams = new ClusterStreams({
      ...{
        link,
        namespace: 'sluice',
        node: name,
        leaseMs: LEASE_MS,
        replicas: 1,
        router,
        events,
        clock: systemClock,
        log,
      },
      idleMs: 1000,
      kind: relayOutputKind({
        nextStream: () => ++numbers,
        now: systemClock.monotonic,
        limits: { maxSkips: 10, maxStall: millis(15_000), skipWindow: millis(60_000) },
      }),
      renditions: { renditionsOf: () => [], want: () => undefined },
      sourceOf: () => undefined,
      mayReplace: () => config.publish.takeover === 'replace',
      sessions: {
        cut: (id, reason) => {
          cuts.push(reason);
          controls.get(id)?.(reason);
          return true;
        },
      },
    });
    closers.push(async () => {
      router.close('the test is over');
      await streams.close();
      await link.close();
    });
    const publish = (path: StreamPath = PATH, kind: IdentityKind = 'anonymous') => {
      const id = `${name}-${++numbers}`;
      const session: Session = {
        ...{ id, action: 'publish', protocol: 'rtmp', path, ip: '192.0.2.1', userAgent: undefined, query: '' },
        ...{ identity: { kind }, client: {}, fingerprint: id, openedAt: millis(Date.now()) },
      };
      const publication = router.publish(session, { cut: () => undefined });
      controls.set(id, (reason) => publication.end(reason));
      publication.write(VIDEO);
      let at = 0;
      /** So many pictures, the first of which is a keyframe, as is every 25th. */
      const write = (count: number, data = FRAME) => {
        for (let written = 0; written < count; written++, at++) {
          const dts = micros(at * 40_000);
          publication.write({
            type: 'sample',
            sample: { track: 0, kind: 'video', dts, pts: dts, keyframe: at % 25 === 0, data },
          });
        }
      };
      return { publication, write };
    };
    const knows = (path: StreamPath = PATH) => until(`${name} knows ${path}`, () => router.canFetch(path));
    const watch = async (path: StreamPath = PATH) => {
      await knows(path);
      const stream = await router.waitFor(path, new AbortController().signal);
      return stream.output({ name: 'watcher', create: () => new Watcher() });
    };
    return { name, router, streams, link, cuts, publish, knows, watch };
  }

  it('go to NATS once however many nodes want them, and not at all where none does', async () => {
    const line = await CuttableLine.start(nats.port);
    closers.push(() => line.stop());
    const origin = nodeOf('origin', { url: `nats://127.0.0.1:${line.port}` });
    await until('there is a connection', () => origin.link.isUp);
    const { write } = origin.publish();
    const edges = Array.from({ length: 50 }, (_, at) => nodeOf(`edge-${at}`));
    await Promise.all(edges.map((edge) => edge.knows()));
    /** Bytes on the line from the origin to NATS while so many pictures are published. */
    const costOf = async (count: number, arrived: () => boolean) => {
      const before = line.bytes;
      for (let each = 0; each < count; each++) {
        write(1);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await until('all have come', arrived);
      return (line.bytes - before) / (count * FRAME.length);
    };
    expect(await costOf(100, () => true)).toBeLessThan(0.02);
    const watchers = await Promise.all(edges.map((edge) => edge.watch()));
    await until('all have begun', () => watchers.every(({ samples }) => samples.length > 0));
    const begun = watchers.map(({ samples }) => samples.length);
    const cost = await costOf(200, () =>
      watchers.every(({ samples }, at) => samples.length === (begun[at] ?? 0) + 200),
    );
    expect(origin.streams.figures).toMatchObject({ streams: 1, edges: 50 });
    process.stdout.write(`with 50 edges, an origin sent ${cost.toFixed(3)} bytes for each byte of media\n`);
    expect(cost).toBeGreaterThan(1);
    expect(cost).toBeLessThan(1.05);
    expect(watchers.flatMap(({ holes }) => holes)).toEqual([]);
    expect(watchers.filter(({ samples }) => samples[0]?.keyframe !== true)).toEqual([]);
    for (const watcher of watchers) watcher.idleSince = millis(-100_000);
    await until('nobody wants it', () => origin.streams.figures.edges === 0, 20_000);
    expect(edges.every(({ router }) => router.find(PATH) === undefined)).toBe(true);
    expect(await costOf(100, () => true)).toBeLessThan(0.02);
  });

  it('come whole where a picture is larger than a message of NATS', async () => {
    const [origin, edge] = [nodeOf('origin'), nodeOf('edge')];
    const { write } = origin.publish();
    const large = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));
    write(1, large);
    const watcher = await edge.watch();
    write(1, large);
    await until('both are there', () => watcher.samples.length === 2);
    expect(watcher.samples.every(({ data }) => data.equals(large))).toBe(true);
  });

  it('end with the stream, and nobody waits for its lease', async () => {
    const [origin, edge] = [nodeOf('origin', { text: 'publish: { graceSeconds: 0 }' }), nodeOf('edge')];
    const { publication, write } = origin.publish();
    write(3);
    const watcher = await edge.watch();
    publication.end('the encoder has left');
    await until('the viewer is told', () => watcher.ended === 'the encoder has left');
    await until('it is in the registry no more', () => !edge.router.canFetch(PATH));
  });

  it('are taken over by a second publisher, whose viewers everywhere go on', async () => {
    const [first, second, third] = [nodeOf('first'), nodeOf('second'), nodeOf('third')];
    const { write } = first.publish();
    write(30);
    const [onFirst, onThird] = [
      first.router.find(PATH)?.output({ name: 'own', create: () => new Watcher() }),
      await third.watch(),
    ];
    await second.knows();
    const takeover = second.publish();
    await until('the first one is cut', () => first.cuts.length > 0);
    expect(first.cuts).toEqual(['live/a.show is published on node second']);
    const counts = [onFirst, onThird].map((watcher) => watcher?.samples.length ?? 0);
    await until('all see the second one', () => {
      takeover.write(1);
      return [onFirst, onThird].every((watcher, at) => (watcher?.samples.length ?? 0) > (counts[at] ?? 0) + 3);
    });
    for (const watcher of [onFirst, onThird]) {
      const times = watcher?.samples.map(({ dts }) => dts) ?? [];
      expect([watcher?.ended, times.every((dts, at) => at === 0 || dts > (times[at - 1] ?? 0))]).toEqual([
        undefined,
        true,
      ]);
    }
  });

  it('are kept by who has them, where the configuration says so', async () => {
    const text = 'publish: { takeover: refuse }';
    const [first, second] = [nodeOf('first', { text }), nodeOf('second', { text })];
    const { publication, write } = first.publish();
    write(1);
    await second.knows();
    const refusal = second.streams.refusalOf(ENCODER);
    expect(refusal).toMatchObject({
      code: 'already-publishing',
      message: 'live/a.show is being published on node first',
    });
    // One that got past the door before the first was known.
    second.publish();
    await until('the second one is cut', () => second.cuts.length > 0);
    expect([first.cuts, second.cuts]).toEqual([[], ['live/a.show is published on node first']]);
    publication.end('the encoder has gone');
    await until('another may come', () => second.streams.refusalOf(ENCODER) === undefined);
  });

  it('are taken by one node only where the configuration of all wants them, and by another when that one goes', async () => {
    const [first, second] = [nodeOf('first'), nodeOf('second')];
    const request = { action: 'publish', protocol: 'srt', path: PATH, byConfiguration: true } as const;
    const { publication } = first.publish(PATH, 'configuration');
    await second.knows();
    expect(second.streams.refusalOf(request)).toMatchObject({ code: 'already-publishing' });
    second.publish(PATH, 'configuration');
    await until('the second one is cut', () => second.cuts.length > 0);
    expect(first.cuts).toEqual([]);
    publication.end('gone');
    await until('the second one may', () => second.streams.refusalOf(request) === undefined);
  });

  it('are one again after a partition: who is in the registry stays', async () => {
    const line = await CuttableLine.start(nats.port);
    closers.push(() => line.stop());
    const cutOff = nodeOf('cut-off', { url: `nats://127.0.0.1:${line.port}` });
    const other = nodeOf('other');
    const { write } = cutOff.publish();
    write(1);
    await other.knows();
    line.cut();
    await until('its lease is over', () => !other.router.canFetch(PATH));
    const taken = other.publish();
    taken.write(1);
    expect(cutOff.cuts).toEqual([]);
    line.mend();
    await until('the one that was cut off gives way', () => cutOff.cuts.length > 0, 30_000);
    expect([cutOff.cuts, other.cuts]).toEqual([['live/a.show is published on node other'], []]);
    const watcher = await cutOff.watch().catch(() => undefined);
    expect(watcher).toBeDefined();
  });
});
