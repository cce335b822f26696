import {
  EventBus,
  type Gate,
  loadConfig,
  type PullSettings,
  parseStreamPath,
  pullFor,
  type RelayUrl,
  type Session,
  type Stream,
  type StreamPath,
  StreamRouter,
  settingsFor,
  silentLogger,
} from '@sluice/core';
import { type MediaEvent, micros, millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OnDemandPulls } from './on-demand-pulls.js';
import { OriginCheck } from './origin-check.js';
import { OriginRefusal, type PullLine, type PullSink } from './pull-line.js';

const PATH = parseStreamPath('live/show');
const SOUND: MediaEvent = {
  type: 'sample',
  sample: { track: 1, kind: 'audio', dts: micros(0), pts: micros(0), keyframe: true, data: Buffer.alloc(7) },
};
const { signal } = new AbortController();

const sessionOf = (path: StreamPath, query = ''): Session => ({
  ...{ id: query, action: 'play', protocol: 'rtmp', path, ip: '192.0.2.1', userAgent: undefined, client: {}, query },
  ...{ identity: { kind: 'anonymous' }, fingerprint: '', openedAt: millis(0) },
});

/** A line whose origin is the test. */
class Line implements PullLine {
  readonly protocol = 'rtmp';
  readonly address = '192.0.2.9';
  readonly received = 0;
  sink: PullSink | undefined;
  closed: string | undefined;

  run(sink: PullSink): void {
    this.sink = sink;
  }

  close(reason: string): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    this.sink?.over(reason);
  }
}

function setUp(yaml: string) {
  let config = loadConfig({ file: { name: 'x.yml', text: yaml } });
  const clock = { monotonic: () => millis(performance.now()), wall: () => millis(Date.now()) };
  const events = new EventBus(silentLogger);
  const ends: string[] = [];
  events.on('stream-ended', ({ reason }) => ends.push(reason));
  const asked: string[] = [];
  const lines: Line[] = [];
  const origin = { answer: (_url: string): Error | undefined => undefined };
  const open = async (url: RelayUrl): Promise<PullLine> => {
    asked.push(url.reveal());
    const refusal = origin.answer(url.reveal());
    if (refusal !== undefined) throw refusal;
    const line = new Line();
    lines.push(line);
    return line;
  };
  const gate = {
    admit: async ({ path }: { path: string }) => ({
      session: { ...sessionOf(parseStreamPath(path)), action: 'publish' as const },
      bind: () => undefined,
      close: () => undefined,
    }),
  } as unknown as Gate;
  const router: StreamRouter = new StreamRouter({
    ...{ clock, events, convertSound: () => undefined },
    settingsFor: (path) => settingsFor(config, path),
    fetcher: { canFetch: (path) => pulls.canFetch(path), fetch: (path, viewer) => pulls.fetch(path, viewer) },
  });
  const forPath = (path: StreamPath): PullSettings | undefined => pullFor(config, path);
  const context = { gate, router, log: silentLogger, random: () => 0.5, open };
  const pulls: OnDemandPulls = new OnDemandPulls({ ...context, clock, settingsFor: forPath });
  const onGranted = (path: StreamPath, query: string) => pulls.offer(path, query);
  const check = new OriginCheck({ settingsFor: forPath, open, clock, log: silentLogger, onGranted });
  return {
    ...{ router, pulls, asked, lines, origin, check, ends },
    configure: (text: string) => {
      config = loadConfig({ file: { name: 'x.yml', text } });
      pulls.follow();
    },
    /** The newest line gives what there is. */
    give: () => lines.at(-1)?.sink?.events([SOUND]),
  };
}

/** Somebody watches. */
function watch(stream: Stream) {
  const output = {
    ...{ configure() {}, sample() {}, discontinuity() {}, end() {}, sweep() {} },
    viewers: 1,
    idleSince: undefined as ReturnType<typeof millis> | undefined,
  };
  stream.output({ name: 'probe', create: () => output });
  return output;
}

const YAML = 'paths: { "live/*": { pull: { url: "rtmp://origin/{app}/{name}", idleSeconds: 5 } } }';

describe('OnDemandPulls', () => {
  let clean: (() => Promise<void>) | undefined;
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(async () => {
    await clean?.();
    vi.useRealTimers();
  });

  function start(yaml: string) {
    const made = setUp(yaml);
    clean = async () => {
      made.router.close('over');
      await made.pulls.close('over');
    };
    return made;
  }

  it('begin with a viewer, when media has come, and end when there has been none for a while', async () => {
    const { router, asked, lines, give, ends } = start(YAML);
    const waits = [router.waitFor(PATH, signal), router.waitFor(PATH, signal)];
    await vi.advanceTimersByTimeAsync(2000);
    expect([asked, router.find(PATH)]).toEqual([['rtmp://origin/live/show'], undefined]);
    give();
    const [stream] = await Promise.all(waits);
    const output = stream && watch(stream);
    for (let second = 0; second < 9; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      give();
    }
    expect(ends).toEqual([]);
    if (output !== undefined) output.idleSince = millis(performance.now());
    await vi.advanceTimersByTimeAsync(4000);
    give();
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect([ends, lines.length, lines[0]?.closed]).toEqual([['nobody watches'], 1, 'the pull was stopped']);
  });

  it('are given up with the last who waits, and not before', async () => {
    const { router, asked, origin } = start(YAML);
    origin.answer = () => new Error('connection refused');
    const left = new AbortController();
    const waiting = expect(router.waitFor(PATH, left.signal)).rejects.toMatchObject({ code: 'not-live' });
    await vi.advanceTimersByTimeAsync(4000);
    expect(asked.length).toBe(3);
    left.abort();
    await waiting;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.length).toBe(3);
  });

  it('tell at once what the origin refuses, and ask it again after a while only', async () => {
    const { router, asked, origin } = start(YAML);
    origin.answer = () => new OriginRefusal('denied', 'no');
    for (const count of [1, 1]) {
      await expect(router.waitFor(PATH, signal)).rejects.toMatchObject({
        code: 'origin-refused',
        message: /refused: no/,
      });
      expect(asked.length).toBe(count);
    }
    await vi.advanceTimersByTimeAsync(6000);
    expect(asked.length).toBe(1);
    await expect(router.waitFor(PATH, signal)).rejects.toMatchObject({ code: 'origin-refused' });
    expect(asked.length).toBe(2);
  });

  it('are made anew where nothing comes, while viewers stay', async () => {
    const { router, lines, give, ends } = start(YAML);
    const waiting = router.waitFor(PATH, signal);
    await vi.advanceTimersByTimeAsync(10);
    give();
    const stream = await waiting;
    watch(stream);
    await vi.advanceTimersByTimeAsync(10_500);
    expect([lines[0]?.closed, stream.state]).toEqual(['nothing came for 10 s', 'waiting']);
    await vi.advanceTimersByTimeAsync(2000);
    give();
    expect([stream.state, lines.length, ends]).toEqual(['live', 2, []]);
  });

  it('are not for any number of names at a time', async () => {
    const { router, asked } = start(YAML);
    const waits = Array.from({ length: 201 }, (_, at) =>
      router.waitFor(parseStreamPath(`live/${at}`), new AbortController().signal),
    );
    await expect(waits.at(-1)).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked.length).toBe(200);
    router.close('over');
    await Promise.allSettled(waits);
  });

  it('follow the configuration, with their viewers', async () => {
    const { router, asked, give, configure, ends } = start(YAML);
    const waiting = router.waitFor(PATH, signal);
    await vi.advanceTimersByTimeAsync(10);
    give();
    const stream = await waiting;
    configure('paths: { "live/*": { pull: { url: "rtmp://other/{name}/x" } } }');
    await vi.advanceTimersByTimeAsync(10);
    give();
    expect([asked, stream.state]).toEqual([['rtmp://origin/live/show', 'rtmp://other/show/x'], 'live']);
    configure('{}');
    await vi.advanceTimersByTimeAsync(10);
    expect([ends, router.canFetch(PATH)]).toEqual([['it is pulled on demand no more'], false]);
  });

  it('ask by the query of who came last, and each viewer by their own', async () => {
    const { router, asked, give, check, lines, origin } = start(
      'paths: { "live/*": { pull: { url: "rtmp://origin/live/{name}?a=1", passQuery: true } } }',
    );
    origin.answer = (url) => (url.includes('good') ? undefined : new OriginRefusal('denied', 'no'));
    const request = (query: string) => ({
      ...({ action: 'play', protocol: 'rtmp', path: PATH, ip: '192.0.2.1', credentials: {} } as const),
      query: new URLSearchParams(query),
    });
    expect([check.decides(request('')), check.decides({ action: 'publish', path: PATH })]).toEqual([true, false]);
    await expect(check.verify(request('token=bad'))).rejects.toMatchObject({ code: 'origin-refused' });
    await expect(check.verify(request('token=bad'))).rejects.toMatchObject({ code: 'origin-refused' });
    expect(await check.verify(request('token=good1&_HLS_msn=3'))).toMatchObject({ kind: 'origin' });
    await check.verify(request('token=good1'));
    expect(asked).toEqual(['rtmp://origin/live/show?a=1&token=bad', 'rtmp://origin/live/show?a=1&token=good1']);
    const waiting = router.waitFor(PATH, signal, { viewer: { query: 'token=good1' } });
    await vi.advanceTimersByTimeAsync(10);
    give();
    const stream = await waiting;
    watch(stream);
    await check.verify(request('token=good2'));
    lines.find(({ sink, closed }) => sink !== undefined && closed === undefined)?.close('the origin went away');
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked.slice(2)).toEqual([
      'rtmp://origin/live/show?a=1&token=good1',
      'rtmp://origin/live/show?a=1&token=good2',
      'rtmp://origin/live/show?a=1&token=good2',
    ]);
  });
});
