import { type MediaEvent, micros, millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Session } from '../access/session.js';
import { loadConfig } from '../config/load.js';
import { Refusal } from '../errors.js';
import { EventBus } from '../events.js';
import { silentLogger } from '../logger.js';
import { parseStreamPath } from '../stream-path.js';
import { type StreamFetcher, StreamRouter } from './router.js';

const PATH = parseStreamPath('live/show');
const SOUND: MediaEvent = {
  type: 'sample',
  sample: { track: 1, kind: 'audio', dts: micros(0), pts: micros(0), keyframe: true, data: Buffer.alloc(7) },
};

const session = (ip: string): Session => ({
  id: ip,
  action: 'publish',
  protocol: 'rtmp',
  path: PATH,
  ip,
  userAgent: undefined,
  identity: { kind: 'anonymous' },
  client: {},
  query: '',
  fingerprint: ip,
  openedAt: millis(0),
});

function routerWith(text = '', fetcher?: StreamFetcher) {
  const config = loadConfig({ file: { name: 'x.yml', text } });
  const events = new EventBus(silentLogger);
  const seen: string[] = [];
  events.on('stream-started', () => seen.push('started'));
  events.on('stream-waiting', ({ reason }) => seen.push(`waiting: ${reason}`));
  events.on('stream-resumed', () => seen.push('resumed'));
  events.on('stream-ended', ({ reason }) => seen.push(`ended: ${reason}`));
  const router = new StreamRouter({
    clock: { monotonic: () => millis(0), wall: () => millis(0) },
    events,
    settingsFor: () => config,
    convertSound: () => undefined,
    ...(fetcher === undefined ? {} : { fetcher }),
  });
  const cuts: string[] = [];
  const publish = (ip = '1.1.1.1') => router.publish(session(ip), { cut: (reason) => cuts.push(`${ip}: ${reason}`) });
  return { router, events, seen, cuts, publish };
}

describe('StreamRouter', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('lets a second encoder replace the first, which is cut and no longer heard', () => {
    const { seen, cuts, publish } = routerWith();
    const first = publish('1.1.1.1');
    const second = publish('2.2.2.2');
    expect(cuts).toEqual(['1.1.1.1: replaced by another publisher']);
    expect(second.stream).toBe(first.stream);
    first.write(SOUND);
    first.end('connection closed');
    expect([second.stream.state, second.stream.received.frames]).toEqual(['live', 0]);
    second.write(SOUND);
    expect(second.stream.received).toEqual({ bytes: 7, frames: 1, videoFrames: 0, audioFrames: 1 });
    expect(seen).toEqual(['started', 'resumed']);
  });

  it('refuses a second encoder where the path says so, but not in the grace window', () => {
    const { cuts, publish } = routerWith('publish: { takeover: refuse }');
    const first = publish('1.1.1.1');
    expect(() => publish('2.2.2.2')).toThrow(/live\/show is being published from 1\.1\.1\.1/);
    expect(cuts).toEqual([]);
    first.end('gone');
    expect(publish('2.2.2.2').stream).toBe(first.stream);
  });

  it('keeps a stream for the grace window, and ends it when nobody came back', () => {
    const { router, seen, publish } = routerWith('publish: { graceSeconds: 3 }');
    const { stream, end } = publish();
    end('gone');
    end('gone twice');
    vi.advanceTimersByTime(2999);
    expect([router.find(PATH), stream.state]).toEqual([stream, 'waiting']);
    const back = publish();
    vi.advanceTimersByTime(10_000);
    expect([router.find(PATH), stream.state]).toEqual([stream, 'live']);
    back.end('gone again');
    vi.advanceTimersByTime(3000);
    expect([router.find(PATH), stream.state, router.streams()]).toEqual([undefined, 'ended', []]);
    expect(seen).toEqual(['started', 'waiting: gone', 'resumed', 'waiting: gone again', 'ended: gone again']);
    expect(publish().stream).not.toBe(stream);
  });

  it('ends a stream at once without a grace window', () => {
    const { router, seen, publish } = routerWith('publish: { graceSeconds: 0 }');
    publish().end('gone');
    expect([router.find(PATH), seen]).toEqual([undefined, ['started', 'ended: gone']]);
  });

  it('does not end a stream that is taken up again from within the news that it waits', () => {
    const { router, events, publish } = routerWith('publish: { graceSeconds: 3 }');
    const { stream, end } = publish();
    events.on('stream-waiting', () => publish());
    end('gone');
    vi.advanceTimersByTime(10_000);
    expect([router.find(PATH), stream.state]).toEqual([stream, 'live']);
  });

  it('wakes all viewers who wait, as soon as somebody publishes', async () => {
    const { router, publish } = routerWith();
    const { signal } = new AbortController();
    const waiting = [router.waitFor(PATH, signal), router.waitFor(PATH, signal)];
    const { stream } = publish();
    expect(await Promise.all(waiting)).toEqual([stream, stream]);
    expect(await router.waitFor(PATH, signal)).toBe(stream);
    // The sweep is the only timer left: nobody's time-out goes on.
    expect(vi.getTimerCount()).toBe(1);
  });

  it('gives up in time, or when the viewer leaves, and forgets who waited', async () => {
    const { router, publish } = routerWith('viewers: { waitForStreamSeconds: 2 }');
    const left = new AbortController();
    const remove = vi.spyOn(left.signal, 'removeEventListener');
    const impatient = expect(router.waitFor(PATH, left.signal)).rejects.toMatchObject({ code: 'not-live' });
    const patient = expect(router.waitFor(PATH, new AbortController().signal)).rejects.toMatchObject({
      code: 'not-live',
    });
    left.abort();
    await impatient;
    expect(remove).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(2);
    vi.advanceTimersByTime(2000);
    await patient;
    expect(vi.getTimerCount()).toBe(1);
    await expect(router.waitFor(PATH, AbortSignal.abort())).rejects.toMatchObject({ code: 'not-live' });
    expect(vi.getTimerCount()).toBe(1);
    // One that was still on the list would be settled a second time.
    publish();
    expect(remove).toHaveBeenCalledOnce();
  });

  it('refuses at once where a path has no waiting time', async () => {
    const { router } = routerWith('viewers: { waitForStreamSeconds: 0 }');
    await expect(router.waitFor(PATH, new AbortController().signal)).rejects.toMatchObject({ code: 'not-live' });
  });

  it('closes: cuts publishers, ends streams, lets nobody wait for what can not come, leaves no timer', async () => {
    const { router, seen, cuts, publish } = routerWith();
    const other = expect(
      router.waitFor(parseStreamPath('live/other'), new AbortController().signal),
    ).rejects.toMatchObject({ code: 'not-live' });
    const { stream, end } = publish();
    router.close('going down');
    end('connection closed');
    router.close('twice');
    expect([cuts, seen, stream.state]).toEqual([['1.1.1.1: going down'], ['started', 'ended: going down'], 'ended']);
    expect(() => publish()).toThrow(/going down/);
    expect(vi.getTimerCount()).toBe(0);
    await other;
  });

  describe('with streams that are live elsewhere', () => {
    const OTHER = parseStreamPath('live/other');

    function withFetcher(text = '') {
      const asked: [string, string | undefined][] = [];
      const fetch = (path: string, viewer: Session | undefined) => void asked.push([path, viewer?.ip]);
      return { asked, ...routerWith(text, { canFetch: (path) => path === PATH, fetch }) };
    }

    it('asks for them once for each who waits, and gives them to all', async () => {
      const { router, asked, publish } = withFetcher('viewers: { waitForStreamSeconds: 0 }');
      const { signal } = new AbortController();
      const waits = [router.waitFor(PATH, signal, { viewer: session('3.3.3.3') }), router.waitFor(PATH, signal)];
      expect(asked).toEqual([
        [PATH, '3.3.3.3'],
        [PATH, undefined],
      ]);
      expect([router.canFetch(PATH), router.canFetch(OTHER), router.isWanted(PATH)]).toEqual([true, false, true]);
      const { stream } = publish();
      expect(await Promise.all(waits)).toEqual([stream, stream]);
      await router.waitFor(PATH, signal);
      expect(asked).toHaveLength(2);
      await expect(router.waitFor(OTHER, signal)).rejects.toMatchObject({ code: 'not-live' });
    });

    it('waits a bounded time for them, and says why they could not be had', async () => {
      const { router, asked } = withFetcher('viewers: { waitForStreamSeconds: 0 }');
      const { signal } = new AbortController();
      const late = expect(router.waitFor(PATH, signal)).rejects.toMatchObject({ code: 'not-live' });
      await vi.advanceTimersByTimeAsync(10_000);
      await late;
      const refused = expect(router.waitFor(PATH, signal)).rejects.toMatchObject({ code: 'callback-refused' });
      router.refuse(PATH, new Refusal('callback-refused', 'the origin says no'));
      await refused;
      expect([asked.length, router.isWanted(PATH)]).toEqual([2, false]);
    });

    it('lets whoever fetches publish at once', async () => {
      const made: StreamRouter[] = [];
      const { router } = routerWith('', {
        canFetch: () => true,
        fetch: (_path, viewer) => made[0]?.publish(session(viewer?.ip ?? ''), { cut: () => undefined }),
      });
      made.push(router);
      const { signal } = new AbortController();
      expect(await router.waitFor(PATH, signal, { viewer: session('3.3.3.3') })).toBe(router.find(PATH));
    });

    it('ends them for good, whatever the grace window', () => {
      const { router, seen, publish } = withFetcher();
      const first = publish();
      first.endForGood('nobody watches');
      first.endForGood('again');
      expect([router.find(PATH), seen]).toEqual([undefined, ['started', 'ended: nobody watches']]);
      const second = publish();
      first.endForGood('late');
      expect(router.find(PATH)).toBe(second.stream);
    });

    it('knows which are wanted', () => {
      const { router, publish } = withFetcher();
      const { stream } = publish();
      expect([router.isWanted(PATH), stream.idleSince]).toEqual([false, 0]);
      const output = {
        ...{ configure() {}, sample() {}, discontinuity() {}, end() {}, sweep() {} },
        viewers: 1,
        idleSince: undefined as ReturnType<typeof millis> | undefined,
      };
      stream.output({ name: 'probe', create: () => output });
      expect([router.isWanted(PATH), stream.idleSince]).toEqual([true, undefined]);
      output.idleSince = millis(5000);
      expect([router.isWanted(PATH), stream.idleSince]).toEqual([false, 5000]);
      stream.sweep(millis(100_000));
      expect(stream.idleSince).toBe(5000);
      stream.output({
        name: 'always',
        create: () => ({ ...output, idleSince: undefined, unwatchedSince: () => millis(7000) }),
      });
      expect(stream.idleSince).toBe(7000);
    });
  });
});
