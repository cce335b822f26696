import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { pictureVariance, playerReport, startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { IS_LONG } from './support/long.js';
import { PeerPage, SEND_CAMERA } from './support/peer-page.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

interface Listed {
  readonly sessions: {
    readonly id: string;
    readonly transport: Record<string, number> | null;
    readonly sent: number;
  }[];
}

describe('WebRTC', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    sluice = await startServer(`
      viewers: { waitForStreamSeconds: 1 }
      publish: { graceSeconds: 20 }
      paths: { "vip/*": { access: { play: credential } } }`);
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await publisher.stop();
    await sluice.stop();
  });

  const sessions = async () => (await api<Listed>(sluice, 'GET', '/api/v2/sessions?protocol=webrtc')).body.sessions;

  it.each(['/whep/live/show', '/rtc/v1/whep/?app=live&stream=show'])('shows %s to Chromium, and ends', async (path) => {
    const viewer = await PeerPage.open(browser, `${sluice.http}${path}`);
    await viewer.showsMore(40);
    // It is AAC.
    await viewer.hears();
    expect(await sessions()).toMatchObject([{ transport: { packetsSent: expect.any(Number) } }]);
    expect((await sessions())[0]?.sent).toBeGreaterThan(10_000);
    const { body } = await api<{ clients: { type: string }[] }>(sluice, 'GET', '/api/v1/clients');
    expect(body.clients.map(({ type }) => type)).toContain('rtc-play');
    expect((await fetch(viewer.resource, { method: 'PATCH' })).status).toBe(204);
    expect((await fetch(viewer.resource, { method: 'DELETE' })).status).toBe(200);
    await until('it is over', async () => (await sessions()).length === 0);
    expect((await fetch(viewer.resource, { method: 'DELETE' })).status).toBe(404);
    await viewer.close();
  });

  it('goes on when the encoder comes back, and is kicked as on every protocol', async () => {
    const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/show`);
    await viewer.showsMore(20);
    await publisher.stop();
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    await viewer.showsMore(40);
    const [session] = await sessions();
    expect((await api(sluice, 'DELETE', `/api/v2/sessions/${session?.id}`)).status).toBeLessThan(300);
    await until('it is over', async () => (await sessions()).length === 0);
    await until(
      'Chromium has heard of it',
      () =>
        viewer.page.evaluate<boolean>(
          `peer.connectionState === 'closed' || peer.connectionState === 'failed' || peer.connectionState === 'disconnected'`,
        ),
      15_000,
    );
    await viewer.close();
  });

  it('takes the camera and the microphone of Chromium, and shows them over WebRTC and HTTP-FLV', async () => {
    // H.264, though browsers would rather send VP8.
    const camera = await PeerPage.open(browser, `${sluice.http}/whip/live/camera`, { setUp: SEND_CAMERA });
    await until('the stream is live', () =>
      sluice.log.some(({ msg, path }) => msg === 'stream is live' && path === 'live/camera'),
    );
    // Its sound is Opus, which is AAC here.
    const flv = await httpFlvViewer(`${sluice.http}/live/camera.flv`);
    const pictures = () => flv.samples.filter(({ kind }) => kind === 'video');
    const sounds = () => flv.samples.filter(({ kind }) => kind === 'audio');
    await until('both come', () => pictures().length > 60 && sounds().length > 100, 20_000);
    for (const samples of [pictures(), sounds()]) {
      const times = samples.map(({ dts }) => dts);
      for (const [at, dts] of times.slice(1).entries()) expect(dts).toBeGreaterThan(times[at] ?? 0);
    }
    expect(pictures().filter(({ keyframe }) => keyframe).length).toBeGreaterThan(1);
    const codecs = flv.events.flatMap((event) => (event.type === 'config' ? [event.config.codec] : []));
    expect(codecs.sort()).toEqual(['aac', 'h264']);
    // Further tracks of FLV, as these would be with other numbers, most players don't find.
    expect([pictures()[0]?.track, sounds()[0]?.track]).toEqual([0, 1]);
    // Picture and sound began within a picture or two of each other.
    expect(Math.abs((pictures().at(-1)?.dts ?? 0) - (sounds().at(-1)?.dts ?? 0))).toBeLessThan(300_000);
    const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/camera`);
    await viewer.showsMore(30);
    await viewer.hears();
    const player = await browser.newPage();
    await player.goto(`${sluice.http}/player/live/camera?protocol=webrtc&muted=1`);
    await until('the player plays it', async () => {
      const { state, protocol, framesDecoded } = await playerReport(player);
      return state === 'playing' && protocol === 'webrtc' && framesDecoded > 30;
    });
    expect(await pictureVariance(player)).toBeGreaterThan(100);
    await player.goto('about:blank');
    const { body } = await api<{ clients: { type: string }[] }>(sluice, 'GET', '/api/v1/clients');
    expect(body.clients.map(({ type }) => type)).toContain('rtc-publish');
    expect((await fetch(camera.resource, { method: 'DELETE' })).status).toBe(200);
    await until('it waits for its encoder', () =>
      sluice.log.some(({ msg, path }) => msg === 'stream waits for its encoder to come back' && path === 'live/camera'),
    );
    await flv.leave();
    await viewer.close();
    await player.close();
    await camera.close();
  }, 90_000);

  /** What Chromium decodes. */
  const codecOf = ({ page }: PeerPage): Promise<string> =>
    page.evaluate<string>(`(async () => {
      const all = [...(await peer.getStats()).values()];
      const { codecId } = all.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video') ?? {};
      return all.find(({ id }) => id === codecId)?.mimeType ?? '';
    })()`);

  it.each(IS_LONG ? ['VP8', 'VP9', 'AV1'] : ['VP9'])('takes %s from Chromium and shows it, as it is', async (codec) => {
    const path = `live/${codec}`;
    const camera = await PeerPage.open(browser, `${sluice.http}/whip/${path}?vcodec=${codec}`, { setUp: SEND_CAMERA });
    await until('the stream is live', () =>
      sluice.log.some((line) => line.msg === 'stream is live' && line.path === path),
    );
    const viewer = await PeerPage.open(browser, `${sluice.http}/whep/${path}`);
    await viewer.showsMore(30, 20_000);
    expect(await codecOf(viewer)).toBe(`video/${codec}`);
    expect(await pictureVariance(viewer.page)).toBeGreaterThan(100);
    const { body } = await api<{ streams: { name: string; video: unknown }[] }>(sluice, 'GET', '/api/v1/streams');
    expect(body.streams.find(({ name }) => name === codec)?.video).toMatchObject({ codec });
    await viewer.close();
    await camera.close();
  });

  const post = async (path: string, body: string, type = 'application/sdp') => {
    const response = await fetch(`${sluice.http}${path}`, { method: 'POST', headers: { 'Content-Type': type }, body });
    const answer = (await response.json()) as { error: { code: string; message: string } };
    return [response.status, answer.error.code];
  };

  it('says what is wrong', async () => {
    const page = await browser.newPage();
    await page.goto(`${sluice.http}/`);
    const offer = await page.evaluate<string>(`(async () => {
      const peer = new RTCPeerConnection();
      peer.addTransceiver('video', { direction: 'recvonly' });
      return (await peer.createOffer()).sdp;
    })()`);
    await page.close();
    expect(await post('/whep/live/show', 'hello')).toEqual([400, 'bad-sdp']);
    expect(await post('/whep/live/show', offer, 'text/plain')).toEqual([415, 'bad-body']);
    expect(await post('/whep/live/show', `v=0\r\n${'a=x:y\r\n'.repeat(30_000)}`)).toEqual([413, 'bad-body']);
    expect(await post('/whep/live', offer)).toEqual([400, 'bad-name']);
    expect(await post('/whep/vip/show', offer)).toEqual([401, 'credential-missing']);
    const sound = offer.replace(/^m=video/m, 'm=application');
    expect(await post('/whep/live/show', sound)).toEqual([406, 'not-possible']);
    const get = await fetch(`${sluice.http}/whep/live/show`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST, PATCH, DELETE, OPTIONS']);
    await until('nothing of it is left', async () => (await sessions()).length === 0);
  });
});
