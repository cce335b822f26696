import { createHash } from 'node:crypto';
import type { Sample } from '@sluice/media';
import { srtCall } from '@sluice/srt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { type Clip, makeClip } from './support/clip.js';
import { freePort } from './support/free-port.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher } from './support/publisher.js';
import { RtpPeer } from './support/rtp-peer.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer, rtmpViewer, type TestViewer, webSocketViewer } from './support/viewers.js';

const H264 = ['rtpmap:96 H264/90000', 'fmtp:96 packetization-mode=1;profile-level-id=42e01f'];

const picturesOf = ({ samples }: Pick<TestViewer, 'samples'>) => samples.filter(({ kind }) => kind === 'video');

/** A picture and where it is shown, whatever the timeline begins with. */
const told = (pictures: readonly Sample[]) =>
  pictures.map(({ data, pts, dts, keyframe }) => {
    const hash = createHash('sha256').update(data).digest('hex').slice(0, 12);
    return `${hash} ${pts - dts} ${keyframe}`;
  });

const evenly = (pictures: readonly Sample[]) =>
  pictures.slice(1).every(({ dts }, at) => dts - (pictures[at]?.dts ?? 0) === 40_000);

describe('An edge', () => {
  const closing: (() => Promise<unknown>)[] = [];
  let clip: Clip;
  let plain: Clip;
  let origin: TestServer;
  let edge: TestServer;
  let publisher: ClipPublisher;

  const isLive = async (path: string) =>
    (await api(edge, 'GET', `/api/v2/streams/${encodeURIComponent(path)}`)).status === 200;

  beforeAll(async () => {
    [clip, plain] = [await makeClip('h264-b', 3), await makeClip('h264', 2)];
    origin = await startServer(`
      publish: { graceSeconds: 0 }
      viewers: { waitForStreamSeconds: 3 }
      paths:
        "vip/*": { access: { play: credential } }
        "closed/*": { access: { play: closed } }`);
    const { rtmp, http, server } = origin;
    const srt = `srt://127.0.0.1:${server.ports.srt}?latency=60&streamid=read:live/{name}`;
    edge = await startServer(`
      viewers: { waitForStreamSeconds: 0 }
      publish: { graceSeconds: 1 }
      hls: { segmentSeconds: 1 }
      dash: { segmentSeconds: 1 }
      paths:
        "rtmp/*": { pull: { url: "${rtmp}/live/{name}", idleSeconds: 1 } }
        "flv/*": { pull: { url: "${http}/live/{name}.flv", idleSeconds: 1 } }
        "srt/*": { pull: { url: "${srt}", idleSeconds: 1 } }
        "many/*": { pull: { url: "${rtmp}/live/show", idleSeconds: 60 } }
        "vip/*": { pull: { url: "${rtmp}/vip/{name}", idleSeconds: 1, passQuery: true }, publish: { graceSeconds: 0 } }
        "vipflv/*": { pull: { url: "${http}/vip/{name}.flv", idleSeconds: 1, passQuery: true } }
        "vipsrt/*": { pull: { url: "srt://127.0.0.1:${server.ports.srt}?streamid=read:vip/{name}", passQuery: true } }
        "closed/*": { pull: { url: "${rtmp}/closed/{name}" } }
        "small/*": { pull: { url: "${rtmp}/live/{name}" }, transcode: { renditions: { low: { height: 90, videoBitrate: 100 } } } }`);
    publisher = await ClipPublisher.start(`${rtmp}/live/show`, plain, { loop: true });
  }, 60_000);
  afterAll(async () => {
    await publisher.stop();
    await edge.stop();
    await origin.stop();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it.each(['rtmp', 'flv'])(
    'takes every picture by %s, as it is and in its order, and lets go of it',
    async (scheme) => {
      const waiting = rtmpViewer(`${edge.rtmp}/${scheme}/whole`);
      await until('the origin is asked', async () => {
        const { body } = await api<{ sessions: { path: string }[] }>(origin, 'GET', '/api/v2/sessions?action=play');
        return body.sessions.some(({ path }) => path === 'live/whole');
      });
      const whole = await ClipPublisher.start(`${origin.rtmp}/live/whole`, clip);
      const viewer = await waiting;
      const sent = clip.samples.filter(({ kind }) => kind === 'video');
      await until('all of it has come', () => picturesOf(viewer).length >= sent.length);
      expect(told(picturesOf(viewer))).toEqual(told(sent));
      expect(sent.some(({ pts, dts }) => pts !== dts)).toBe(true);
      await viewer.leave();
      await whole.stop();
      await until('it is given up', async () => !(await isLive(`${scheme}/whole`)), 20_000);
    },
    40_000,
  );

  it('takes a stream by SRT', async () => {
    const viewer = await httpFlvViewer(`${edge.http}/srt/show.flv`);
    await until('it is watched', () => picturesOf(viewer).length > 50);
    expect(evenly(picturesOf(viewer))).toBe(true);
    await viewer.leave();
    await until('nobody watches', () =>
      edge.log.some(
        ({ msg, path, reason }) => msg === 'stream ended' && path === 'srt/show' && reason === 'nobody watches',
      ),
    );
  }, 30_000);

  it('has nothing before somebody watches, one connection for all, and none when they have left', async () => {
    const { body: before } = await api<{ sessions: unknown[] }>(origin, 'GET', '/api/v2/sessions?action=play');
    expect(before.sessions).toEqual([]);
    const viewers = await Promise.all([1, 2, 3].map(() => httpFlvViewer(`${edge.http}/flv/show.flv`)));
    await until('all see it', () => viewers.every((viewer) => picturesOf(viewer).length > 25));
    const { body } = await api<{ sessions: { path: string }[] }>(origin, 'GET', '/api/v2/sessions?action=play');
    expect(body.sessions).toMatchObject([{ path: 'live/show' }]);
    for (const viewer of viewers) await viewer.leave();
    await until('it is given up', async () => !(await isLive('flv/show')));
    await until('the origin is left alone', async () => {
      const { body: after } = await api<{ sessions: unknown[] }>(origin, 'GET', '/api/v2/sessions?action=play');
      return after.sessions.length === 0;
    });
    const again = await httpFlvViewer(`${edge.http}/flv/show.flv`);
    await until('it is there again', () => picturesOf(again).length > 25);
    await again.leave();
  }, 30_000);

  it('fetches for whatever somebody watches by', async () => {
    const flv = await httpFlvViewer(`${edge.http}/many/flv.flv`);
    const rtmp = await rtmpViewer(`${edge.rtmp}/many/rtmp`);
    const ws = await webSocketViewer(`${edge.ws}/many/ws.flv`);
    for (const viewer of [flv, rtmp, ws]) {
      await until('it is watched', () => picturesOf(viewer).length > 10);
      await viewer.leave();
    }
    const hls = await fetch(`${edge.http}/many/hls.m3u8`);
    expect([hls.status, await hls.text()]).toEqual([200, expect.stringContaining('#EXTINF')]);
    const dash = await fetch(`${edge.http}/many/dash.mpd`);
    expect([dash.status, await dash.text()]).toEqual([200, expect.stringContaining('<Representation')]);
    const picture = await fetch(`${edge.http}/many/picture.jpg`);
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    const peer = await RtpPeer.connect(`${edge.http}/whep/many/whep`, 'recvonly', H264);
    await until('packets come', () => peer.got.length > 10);
    await peer.close();
    const socket = await srtCall({
      ...{ host: '127.0.0.1', port: edge.server.ports.srt ?? 0, streamId: 'read:many/srt' },
      options: { receiveLatency: 60 },
    });
    let bytes = 0;
    const count = ({ length }: Buffer): void => {
      bytes += length;
    };
    socket.serve({ payload: count, closed: () => undefined });
    await until('SRT brings it', () => bytes > 10_000);
    socket.close('seen');
    const { state, tracks } = (await (await fetch(`${edge.http}/status/streams/many/status`)).json()) as {
      state: string;
      tracks: unknown[];
    };
    expect([state, tracks.length]).toEqual(['live', 2]);
    const small = await fetch(`${edge.http}/small/show/low.m3u8`);
    expect([small.status, await small.text()]).toEqual([200, expect.stringContaining('#EXTINF')]);
  }, 60_000);

  it('says what an origin says, at once where that is no', async () => {
    const began = performance.now();
    const refused = await fetch(`${edge.http}/closed/show.m3u8`);
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'origin-refused' } }]);
    await expect(rtmpViewer(`${edge.rtmp}/closed/show`)).rejects.toThrow(/the origin of closed\/show refused/);
    expect(performance.now() - began).toBeLessThan(8000);
  }, 20_000);

  it.runIf(IS_LONG)(
    'waits a bounded time for what an origin does not have',
    async () => {
      const missing = await fetch(`${edge.http}/rtmp/nobody.flv`);
      expect([missing.status, await missing.json()]).toMatchObject([404, { error: { code: 'not-live' } }]);
      await until('it is not asked any more', async () => {
        const { body } = await api<{ sessions: unknown[] }>(
          origin,
          'GET',
          '/api/v2/sessions?action=play&path=live/nobody',
        );
        return body.sessions.length === 0;
      });
    },
    40_000,
  );

  it('leaves a path alone that an encoder publishes here', async () => {
    const own = await ClipPublisher.start(`${edge.rtmp}/rtmp/own`, plain, { loop: true });
    closing.push(() => own.stop());
    const viewer = await httpFlvViewer(`${edge.http}/rtmp/own.flv`);
    await until('it is watched', () => picturesOf(viewer).length > 25);
    await viewer.leave();
    expect(edge.log.some(({ msg, path }) => msg === 'pulling' && path === 'rtmp/own')).toBe(false);
  });

  describe('whose origin decides who may watch', () => {
    const tokenFor = async (viewer: string) => {
      const { body } = await api<{ query: string; value: string; parameter: string }>(
        origin,
        'POST',
        '/api/v2/tokens',
        {
          ...{ path: 'vip/show', viewer, seconds: 60 },
        },
      );
      return body;
    };
    let vip: ClipPublisher;
    let good: string;
    beforeAll(async () => {
      vip = await ClipPublisher.start(`${origin.rtmp}/vip/show`, plain, { loop: true });
      const token = await tokenFor('anna');
      good = `${token.parameter}=${token.value}`;
    });
    afterAll(() => vip.stop());

    it.each(IS_LONG ? ['vip', 'vipflv', 'vipsrt'] : ['vip'])(
      'asks it by the query of each: %s',
      async (app) => {
        const bad = `sign=wrong-${SECRET_MARK}-${app}`;
        for (const query of ['', `?${bad}`]) {
          const refused = await fetch(`${edge.http}/${app}/show.flv${query}`);
          expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'origin-refused' } }]);
        }
        const viewer = await httpFlvViewer(`${edge.http}/${app}/show.flv?${good}`);
        await until('it is watched', () => picturesOf(viewer).length > 10);
        const late = await fetch(`${edge.http}/${app}/show.flv?${bad}`);
        expect(late.status).toBe(403);
        const hls = await fetch(`${edge.http}/${app}/show.m3u8?${good}`);
        const [segment = ''] = /^[^#\n].*$/m.exec(await hls.text()) ?? [];
        expect([hls.status, segment]).toEqual([200, expect.stringContaining('session=')]);
        const url = new URL(segment, hls.url);
        expect((await fetch(url)).status).toBe(200);
        url.search = '';
        expect((await fetch(url)).status).toBe(403);
        expect((await fetch(`${edge.http}/${app}/show.m3u8`)).status).toBe(403);
        await viewer.leave();
        for (const { log } of [edge, origin]) expect(JSON.stringify(log)).not.toContain(good.split('=')[1]);
      },
      30_000,
    );
  });

  it.runIf(IS_LONG)(
    'goes on with its viewers when the origin was killed and is back',
    async () => {
      const [rtmpPort, httpPort] = [await freePort(), await freePort()];
      const environment = { SLUICE_RTMP_PORT: String(rtmpPort), SLUICE_HTTP_PORT: String(httpPort) };
      let second = await startServer('', environment);
      const own = await startServer(`
      publish: { graceSeconds: 60 }
      paths:
        "live/*": { pull: { url: "rtmp://127.0.0.1:${rtmpPort}/live/{name}", stallSeconds: 3 } }
        "copy/show": { pull: { url: "http://127.0.0.1:${httpPort}/live/show.flv", stallSeconds: 3 } }`);
      closing.push(() => own.stop());
      let source = await ClipPublisher.start(`${second.rtmp}/live/show`, plain, { loop: true });
      const viewers = [await rtmpViewer(`${own.rtmp}/live/show`)];
      await until(
        'it is pulled always',
        () => own.log.some(({ msg, path }) => msg === 'stream is live' && path === 'copy/show'),
        20_000,
      );
      viewers.push(await httpFlvViewer(`${own.http}/copy/show.flv`));
      await until('all see it', () => viewers.every((viewer) => picturesOf(viewer).length > 25));
      source.kill();
      await second.stop();
      await until(
        'it is missed',
        () => own.log.filter(({ msg }) => msg === 'pulling is interrupted').length >= 2,
        20_000,
      );
      const before = viewers.map((viewer) => picturesOf(viewer).length);
      second = await startServer('', environment);
      closing.push(() => second.stop());
      source = await ClipPublisher.start(`${second.rtmp}/live/show`, plain, { loop: true });
      closing.push(() => source.stop());
      await until(
        'all see it again',
        () => viewers.every((viewer, at) => picturesOf(viewer).length > (before[at] ?? 0) + 50),
        50_000,
      );
      if (IS_LONG) {
        // An encoder that hangs: nothing comes, and the line is made anew.
        const lines = () =>
          own.log.filter(({ msg, reason }) => msg === 'pulling is interrupted' && /nothing came/.test(String(reason)));
        const silent = lines().length;
        source.pause();
        await until('it stalls', () => lines().length > silent, 20_000);
        source.resume();
        const stalled = viewers.map((viewer) => picturesOf(viewer).length);
        await until(
          'it goes on',
          () => viewers.every((viewer, at) => picturesOf(viewer).length > (stalled[at] ?? 0) + 50),
          50_000,
        );
      }
      expect(viewers.some(({ ended }) => ended)).toBe(false);
      for (const viewer of viewers) await viewer.leave();
    },
    150_000,
  );

  it.runIf(IS_LONG)(
    'and an origin follow where a server that is drained sends them',
    async () => {
      const next = await startServer('');
      closing.push(() => next.stop());
      const first = await startServer(`drain: { redirect: ["${next.http}", "${next.rtmp}"], viewerSeconds: 0 }`);
      closing.push(() => first.stop());
      const source = await ClipPublisher.start(`${next.rtmp}/live/show`, plain, { loop: true });
      closing.push(() => source.stop());
      const old = await ClipPublisher.start(`${first.rtmp}/live/show`, plain, { loop: true });
      closing.push(() => old.stop());
      const own = await startServer(`
      publish: { graceSeconds: 20 }
      push: { urls: ["${first.rtmp}/copy/{app}-{name}"] }
      paths:
        "rtmp/*": { pull: { url: "${first.rtmp}/live/{name}" } }
        "flv/*": { pull: { url: "${first.http}/live/{name}.flv" } }`);
      closing.push(() => own.stop());
      const viewers = [await rtmpViewer(`${own.rtmp}/rtmp/show`), await httpFlvViewer(`${own.http}/flv/show.flv`)];
      await until('all see it', () => viewers.every((viewer) => picturesOf(viewer).length > 25));
      expect((await api(first, 'POST', '/api/v2/drain', {})).status).toBeLessThan(300);
      await until(
        'they are sent away',
        () => own.log.filter(({ msg }) => msg === 'pulling is interrupted').length >= 2,
        20_000,
      );
      const before = viewers.map((viewer) => picturesOf(viewer).length);
      await until(
        'they go on',
        () => viewers.every((viewer, at) => picturesOf(viewer).length > (before[at] ?? 0) + 50),
        20_000,
      );
      const copy = await rtmpViewer(`${next.rtmp}/copy/rtmp-show`);
      await until('the push goes on', () => picturesOf(copy).length > 25, 20_000);
      for (const viewer of [...viewers, copy]) await viewer.leave();
    },
    90_000,
  );
});
