import { millis } from '@sluice/media';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AccessRequest } from '../access/request.js';
import type { Session } from '../access/session.js';
import { SessionRegistry } from '../access/session-registry.js';
import { silentLogger } from '../logger.js';
import { parseStreamPath } from '../stream-path.js';
import { Drain } from './drain.js';
import { baseUrlFor, placesOf } from './place.js';

describe('places', () => {
  const places = placesOf(['http://b.test:8080/', 'rtmp://b.test', 'http://c.test:8080', 'rtmps://c.test:1443']);

  it('are the hosts of URLs; the first scheme that one has is taken', () => {
    expect(places.map(({ name }) => name)).toEqual(['b.test', 'c.test']);
    expect(baseUrlFor(places, '192.0.2.1', ['rtmps'])).toBe('rtmps://c.test:1443');
    expect(baseUrlFor(places, '192.0.2.1', ['https'])).toBeUndefined();
    expect(baseUrlFor(places.slice(0, 1), '192.0.2.1', ['https', 'http'])).toBe('http://b.test:8080');
  });

  it('are the same for an address as long as they are there, and all have their share', () => {
    const names = ['b', 'c', 'd'];
    const urls = (some: readonly string[]) => placesOf(some.map((name) => `http://${name}.test`));
    const counts = new Map<string, number>();
    for (let host = 0; host < 3000; host++) {
      const ip = `10.0.${host >> 8}.${host & 255}`;
      const place = baseUrlFor(urls(names), ip, ['http']) ?? '';
      counts.set(place, (counts.get(place) ?? 0) + 1);
      const without = names.filter((name) => place !== `http://${name}.test`);
      for (const gone of without) {
        const left = names.filter((name) => name !== gone);
        expect(baseUrlFor(urls(left), ip, ['http'])).toBe(place);
      }
    }
    expect(Math.min(...counts.values())).toBeGreaterThan(900);
  });
});

describe('Drain', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function drainWith(protocols: readonly (readonly [Session['protocol'], 'publish' | 'play'])[], stubborn = false) {
    const clock = { wall: () => millis(Date.now()), monotonic: () => millis(Date.now()) };
    const limits = { total: 1000, perStream: 1000, perIp: 1000, perViewer: 1000 };
    const registry = new SessionRegistry({ clock, limits: () => limits });
    const cut: string[] = [];
    const moved: (string | undefined)[] = [];
    protocols.forEach(([protocol, action], at) => {
      const id = `${protocol} ${action} ${at}`;
      registry.open({
        ...{ id, action, protocol, path: parseStreamPath('live/show'), ip: '192.0.2.1', userAgent: undefined },
        ...{ identity: { kind: 'anonymous' }, client: {}, query: '', fingerprint: '', openedAt: clock.wall() },
      });
      registry.bind(id, {
        cut: () => {
          cut.push(id);
          if (!stubborn) registry.close(id);
        },
        traffic: () => ({ received: 0, sent: 0 }),
        move: (url) => moved.push(url),
      });
    });
    const settings = { viewerSeconds: 10, publisherSeconds: 20 };
    const places = () => placesOf(['rtmp://b.test', 'http://b.test']);
    const drain = new Drain({ clock, registry, settings: () => settings, places, log: silentLogger });
    const isDone = vi.fn();
    void drain.done.then(isDone);
    const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
    return { drain, registry, cut, moved, pass, isDone };
  }
  const asked = (over: Partial<AccessRequest> = {}): AccessRequest => ({
    ...{ action: 'play', protocol: 'rtmp', path: 'live/show', ip: '192.0.2.1', credentials: {} },
    query: new URLSearchParams(),
    ...over,
  });

  it('lets all in while it serves, and nobody new after that, but shows the way', () => {
    const { drain } = drainWith([]);
    expect(drain.refusalOf(asked())).toBeUndefined();
    expect(drain.placeFor('192.0.2.1', ['http'])).toBeUndefined();
    drain.begin('me');
    expect(drain.refusalOf(asked())).toMatchObject({ code: 'draining' });
    expect(drain.refusalOf(asked())?.elsewhere('rtmp')).toBe('rtmp://b.test');
    expect(drain.refusalOf(asked({ action: 'publish' }))).toMatchObject({ code: 'draining' });
    expect(drain.refusalOf(asked({ protocol: 'recording' }))).toBeUndefined();
    drain.close();
  });

  it('sends viewers away evenly, then publishers, and is done when nobody is left', async () => {
    const viewers = Array.from({ length: 10 }, () => ['http-flv', 'play'] as const);
    const { drain, cut, moved, pass, isDone } = drainWith([['rtmp', 'publish'], ...viewers, ['transcode', 'publish']]);
    drain.begin('me');
    expect(moved).toEqual(['rtmp://b.test']);
    await pass(5);
    expect(cut).toHaveLength(5);
    await pass(5);
    expect([cut.length, drain.status]).toMatchObject([10, { state: 'draining', viewers: 0, publishers: 1, by: 'me' }]);
    await pass(9.8);
    expect(isDone).not.toHaveBeenCalled();
    await pass(0.2);
    expect(cut.at(-1)).toBe('rtmp publish 0');
    expect([isDone.mock.calls.length, drain.status.state]).toEqual([1, 'drained']);
  });

  it('is done as soon as the publishers have left by themselves', async () => {
    const { drain, registry, pass, isDone } = drainWith([
      ['rtmp', 'publish'],
      ['hls', 'play'],
    ]);
    drain.begin('me', { viewerSeconds: 0 });
    await pass(1);
    registry.close('rtmp publish 0');
    expect(isDone).not.toHaveBeenCalled();
    await pass(0.2);
    expect(isDone).toHaveBeenCalled();
    // Viewers of HLS are sent on by their playlists.
    expect(registry.size).toBe(1);
  });

  it('doesn’t wait for ever for who doesn’t go', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }), async (viewers, publishers) => {
        const { drain, pass, isDone } = drainWith(
          [
            ['rtmp', 'publish'],
            ['rtmp', 'play'],
          ],
          true,
        );
        drain.begin('me', { viewerSeconds: viewers, publisherSeconds: publishers });
        await pass(Math.max(viewers, publishers) + 3.2);
        expect(isDone).toHaveBeenCalled();
      }),
      { numRuns: 20 },
    );
  });
});
