import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import {
  type AccessRequest,
  type Admission,
  EventBus,
  loadConfig,
  type Publication,
  parseStreamPath,
  Refusal,
  type Session,
  type SessionControl,
  type StreamPath,
  StreamRouter,
  silentLogger,
  systemClock,
} from '@sluice/core';
import { type MediaEvent, micros, millis, type Sample } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { relayOutputKind } from '../relay/relay-output.js';
import { DoorService } from './door-service.js';
import { Line } from './line.js';
import type { FromWorker, ToWorker } from './messages.js';
import { PublishService } from './publish-service.js';
import { Publishers } from './publishers.js';
import { RelayService } from './relay-service.js';
import { RelayedStreams } from './relayed-streams.js';
import { RemoteDoorkeeper } from './remote-doorkeeper.js';
import { RemotePublishing } from './remote-publishing.js';

const PATH = parseStreamPath('live/show');
const SOUND: MediaEvent = {
  type: 'config',
  config: {
    kind: 'audio',
    track: 2,
    codec: 'aac',
    codecString: 'mp4a.40.2',
    sampleRate: 48_000,
    channels: 2,
    description: Buffer.from([0x11, 0x90]),
  },
};
const sound = (at: number): MediaEvent => ({
  type: 'sample',
  sample: { track: 2, kind: 'audio', dts: micros(at), pts: micros(at), keyframe: true, data: Buffer.from([at & 255]) },
});

const session = (over: Partial<Session> = {}): Session => ({
  id: `s${Math.random()}`,
  action: 'play',
  protocol: 'http-flv',
  path: PATH,
  ip: '1.1.1.1',
  userAgent: undefined,
  identity: { kind: 'anonymous' },
  client: {},
  query: '',
  fingerprint: 'f',
  openedAt: millis(0),
  ...over,
});

const request = (over: Partial<AccessRequest> = {}): AccessRequest => ({
  action: 'play',
  protocol: 'http-flv',
  path: PATH,
  ip: '1.1.1.1',
  credentials: {},
  query: new URLSearchParams('key=a&b=c'),
  ...over,
});

function makeRouter(events: EventBus, fetcher?: RelayedStreams): StreamRouter {
  return new StreamRouter({
    clock: systemClock,
    events,
    settingsFor: () => loadConfig({ file: { name: 'x.yml', text: 'publish: { graceSeconds: 0, takeover: refuse }' } }),
    convertSound: () => undefined,
    ...(fetcher === undefined ? {} : { fetcher }),
  });
}

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const one = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [other] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [one, other];
}

/** The main process and a worker, with a line between them, and a gate that lets all in whom no rule refuses. */
async function makeBoth() {
  const [mainEnd, workerEnd] = await socketPair();
  const events = new EventBus(silentLogger);
  const publishers = new Publishers(events);
  const router = makeRouter(events);
  const admitted: { session: Session; control: SessionControl | undefined; closed: string | undefined }[] = [];
  const asked: AccessRequest[] = [];
  let refusal: Refusal | undefined;
  const admit = async (wanted: AccessRequest): Promise<Admission> => {
    asked.push(wanted);
    if (refusal !== undefined) throw refusal;
    const entry: (typeof admitted)[number] = {
      session: session({ action: wanted.action, ip: wanted.ip, path: wanted.path as StreamPath }),
      control: undefined,
      closed: undefined,
    };
    admitted.push(entry);
    return {
      session: entry.session,
      bind: (control) => {
        entry.control = control;
      },
      close: (reason) => {
        entry.closed ??= reason;
      },
    };
  };
  const gate = { admit, resume: admit, inspect: async () => ({ kind: 'jwt', viewer: 'anna' }) as const };
  const publications = new PublishService({ router });
  const mainLine: Line<ToWorker, FromWorker> = new Line<ToWorker, FromWorker>({
    socket: mainEnd,
    onMessage: (message) => {
      if (message.type === 'question' || message.type === 'session-closed' || message.type === 'traffic') {
        doors.take(message);
      } else if (
        message.type === 'watch' ||
        message.type === 'unwatch' ||
        message.type === 'viewers' ||
        message.type === 'keyframe'
      ) {
        relays.take(message);
      }
    },
    onFrame: (frame) => publications.frame(frame),
    onClose: (reason) => {
      relays.close();
      publications.close(reason);
      doors.close(reason);
    },
  });
  const doors = new DoorService({
    gate,
    send: (message) => mainLine.send(message),
    canFetch: (path) => router.find(path) !== undefined,
    publish: (from, stream, control) => publications.publish(from, stream, control),
  });
  let streams = 0;
  const kind = relayOutputKind({
    nextStream: () => ++streams,
    now: systemClock.monotonic,
    limits: { maxStall: millis(5000), maxSkips: 3, skipWindow: millis(60_000) },
  });
  const relays = new RelayService({
    router,
    kind,
    line: mainLine,
    publisherOf: (path) => publishers.of(path),
    viewer: (id) => doors.session(id),
    onRelay: () => undefined,
  });
  events.on('stream-started', ({ path }) => mainLine.send({ type: 'live', path }));
  events.on('stream-ended', ({ path }) => mainLine.send({ type: 'over', path }));

  const send = (message: FromWorker) => workerLine.send(message);
  const worker = {
    streams: new RelayedStreams({ router: () => worker.router, send, stays: () => false }),
    gate: new RemoteDoorkeeper({
      send,
      onAdmitted: (path, canFetch) => worker.streams.noteAdmission(path, canFetch),
    }),
  } as { streams: RelayedStreams; gate: RemoteDoorkeeper; router: StreamRouter };
  worker.router = makeRouter(new EventBus(silentLogger), worker.streams);
  const workerLine: Line<FromWorker, ToWorker> = new Line<FromWorker, ToWorker>({
    socket: workerEnd,
    onMessage: (message) => {
      if (
        message.type === 'answer' ||
        message.type === 'refusal' ||
        message.type === 'cut' ||
        message.type === 'move'
      ) {
        worker.gate.take(message);
      } else if (
        message.type === 'live' ||
        message.type === 'over' ||
        message.type === 'relay' ||
        message.type === 'no-relay' ||
        message.type === 'relay-lost'
      ) {
        worker.streams.take(message);
      }
    },
    onFrame: (frame) => worker.streams.frame(frame),
    onClose: () => undefined,
  });
  const publishing = new RemotePublishing({ line: workerLine, gate: worker.gate });
  return {
    ...{ worker, publishing, router, admitted, asked },
    refuse: (with_: Refusal | undefined) => {
      refusal = with_;
    },
    publish: (): Publication =>
      router.publish(session({ action: 'publish', protocol: 'rtmp' }), { cut: () => undefined }),
    loseWorker: () => workerLine.close('gone'),
    close: () => {
      workerLine.close('over');
      mainLine.close('over');
      router.close('over');
      worker.router.close('over');
    },
  };
}

type Both = Awaited<ReturnType<typeof makeBoth>>;
const soon = (what: () => void) => vi.waitFor(what, { timeout: 5000, interval: 5 });

describe('a worker and the main process', () => {
  let both: Both;
  beforeEach(async () => {
    both = await makeBoth();
  });
  afterEach(() => both.close());

  const watched = (router: StreamRouter) => {
    const samples: Sample[] = [];
    const output = {
      ...{ configure() {}, discontinuity() {}, end() {}, sweep() {} },
      ...{ viewers: 1, idleSince: undefined },
      sample: (sample: Sample) => void samples.push(sample),
    };
    router.find(PATH)?.output({ name: 'probe', create: () => output });
    return samples;
  };

  it('opens sessions at the gate, which can end them, and is told what came of them', async () => {
    const { gate } = both.worker;
    const admission = await gate.admit(request());
    expect(both.asked[0]?.query.toString()).toBe('key=a&b=c');
    const cuts: string[] = [];
    let sent = 0;
    admission.bind({ cut: (reason) => cuts.push(reason), traffic: () => ({ received: 0, sent }) });
    sent = 500;
    gate.tellTraffic();
    await soon(() => expect(both.admitted[0]?.control?.traffic().sent).toBe(500));
    both.admitted[0]?.control?.cut('kicked');
    await soon(() => expect(cuts).toEqual(['kicked']));
    sent = 700;
    admission.close('viewer left');
    admission.close('again');
    await soon(() => expect(both.admitted[0]?.closed).toBe('viewer left'));
    expect(both.admitted[0]?.control?.traffic().sent).toBe(700);
    expect(await gate.inspect(request())).toEqual({ kind: 'jwt', viewer: 'anna' });
  });

  it('hands on why somebody is not let in, and where they would be', async () => {
    both.refuse(
      new Refusal('draining', 'go', { elsewhere: (schemes) => (schemes[0] === 'rtmp' ? 'rtmp://b' : undefined) }),
    );
    const refused = await both.worker.gate.admit(request()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refusal);
    if (!(refused instanceof Refusal)) return;
    expect([refused.code, refused.message]).toEqual(['draining', 'go']);
    expect([refused.elsewhere('http'), refused.elsewhere('http', 'rtmp')]).toEqual([undefined, 'rtmp://b']);
  });

  it('cuts a session that was ended before its owner bound it', async () => {
    const admission = await both.worker.gate.admit(request());
    await soon(() => expect(both.admitted[0]?.control).toBeDefined());
    both.admitted[0]?.control?.cut('banned');
    await soon(() => {
      const cuts: string[] = [];
      admission.bind({ cut: (reason) => cuts.push(reason), traffic: () => ({ received: 0, sent: 0 }) });
      expect(cuts).toEqual(['banned']);
    });
  });

  it('has a stream only while somebody watches it there, with its viewers counted', async () => {
    const publication = both.publish();
    publication.write(SOUND);
    publication.write(sound(0));
    await soon(() => expect(both.worker.streams.canFetch(PATH)).toBe(true));
    const stream = await both.worker.router.waitFor(PATH, new AbortController().signal);
    const samples = watched(both.worker.router);
    publication.write(sound(20_000));
    await soon(() => expect(samples.map(({ dts }) => dts)).toContain(1_020_000));
    both.worker.streams.sweep(systemClock.monotonic());
    await soon(() => expect(both.router.find(PATH)?.viewers).toBe(1));
    expect(stream.viewers).toBe(1);
    publication.endForGood('over');
    await soon(() => expect(both.worker.router.find(PATH)).toBeUndefined());
    expect(stream.ended).toBe(true);
  });

  it('lets go of what nobody watches, and fetches it again', async () => {
    const publication = both.publish();
    publication.write(SOUND);
    await soon(() => expect(both.worker.streams.canFetch(PATH)).toBe(true));
    await both.worker.router.waitFor(PATH, new AbortController().signal);
    both.worker.streams.sweep(millis(systemClock.monotonic() + 60_000));
    expect(both.worker.router.find(PATH)).toBeUndefined();
    publication.write(sound(0));
    const again = await both.worker.router.waitFor(PATH, new AbortController().signal);
    expect(again.description.tracks).toHaveLength(1);
  });

  it('says at once that a path is not live, and wakes those who wait when it is', async () => {
    await both.worker.gate.admit(request());
    expect(both.worker.streams.canFetch(PATH)).toBe(false);
    const waiting = both.worker.router.waitFor(PATH, new AbortController().signal, { forSeconds: 20 });
    both.publish().write(SOUND);
    expect((await waiting).path).toBe(PATH);
  });

  it('publishes what an encoder sends to the worker, to its last word', async () => {
    const { session: own } = await both.worker.gate.admit(request({ action: 'publish' }));
    const feed = await both.publishing.publish(own, { cut: () => undefined });
    feed.write(SOUND);
    for (let at = 0; at < 10; at++) feed.write(sound(at * 20_000));
    await soon(() => expect(both.router.find(PATH)?.received.frames).toBe(10));
    feed.end('unpublished');
    feed.write(sound(300_000));
    await soon(() => expect(both.router.find(PATH)).toBeUndefined());
  });

  it('is told why its encoder may not publish', async () => {
    both.publish();
    const { session: own } = await both.worker.gate.admit(request({ action: 'publish' }));
    await expect(both.publishing.publish(own, { cut: () => undefined })).rejects.toMatchObject({
      code: 'already-publishing',
    });
  });

  it('loses with a worker what it had', async () => {
    const { session: own } = await both.worker.gate.admit(request({ action: 'publish' }));
    await both.publishing.publish(own, { cut: () => undefined });
    await both.worker.gate.admit(request());
    both.loseWorker();
    await soon(() => expect(both.admitted.map(({ closed }) => closed)).toEqual(Array(2).fill(expect.any(String))));
    expect(both.router.find(PATH)).toBeUndefined();
  });
});

describe('Line', () => {
  it('ends, saying why, when what comes over it can not be read', () => {
    const socket: Duplex = new PassThrough();
    const closed: string[] = [];
    const line = new Line({
      socket,
      onMessage: () => undefined,
      onFrame: () => undefined,
      onClose: (reason) => closed.push(reason),
    });
    socket.emit('data', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1]));
    line.close('again');
    expect(closed).toEqual([expect.stringContaining("can't be taken")]);
  });
});
