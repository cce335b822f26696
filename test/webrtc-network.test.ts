import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { runSluice } from './support/command.js';
import { freePort } from './support/free-port.js';
import { IS_LONG } from './support/long.js';
import { LossyLink } from './support/lossy-link.js';
import { PeerPage, SEND_CAMERA } from './support/peer-page.js';
import { ClipPublisher } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { startTurnServer, type TurnServer } from './support/turn-server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

describe('WebRTC through networks that are no good', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  let publisher: ClipPublisher;
  let turn: TurnServer;
  beforeAll(async () => {
    const settings = {
      SLUICE_WEBRTC_ICE_SERVERS: `turn:127.0.0.1:${await freePort()}?transport=udp`,
      SLUICE_WEBRTC_TURN_SECRET: `turn-secret-${SECRET_MARK}`,
      SLUICE_WEBRTC_TURN_REALM: 'example.org',
      SLUICE_WEBRTC_ANNOUNCE: '127.0.0.1',
    };
    // Which lets nobody get at the loopback address by itself.
    turn = await startTurnServer(`${(await runSluice(['turn-config'], settings)).stdout}\nallowed-peer-ip=127.0.0.1`);
    sluice = await startServer('', settings);
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await publisher.stop();
    await sluice.stop();
    await turn.stop();
  });

  const ONLY_TCP = `(sdp) => sdp.split('\\r\\n').filter((line) => !/^a=candidate:\\S+ 1 udp/.test(line)).join('\\r\\n')`;
  /** All goes by another port of UDP. */
  const by = (port: number) =>
    `(sdp) => sdp.split('\\r\\n').filter((line) => !/^a=candidate:\\S+ 1 tcp/.test(line))
      .map((line) => line.replace(/^(a=candidate:\\S+ 1 udp \\S+ \\S+) \\d+/, '$1 ${port}')).join('\\r\\n')`;

  it('takes TCP where no UDP gets through, both ways', async () => {
    const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/show`, { change: ONLY_TCP });
    await viewer.showsMore(40);
    await viewer.hears();
    expect((await viewer.selectedPair()).local).toMatchObject({ protocol: 'tcp' });
    const camera = await PeerPage.open(browser, `${sluice.http}/whip/live/by-tcp`, {
      change: ONLY_TCP,
      setUp: SEND_CAMERA,
    });
    const flv = await httpFlvViewer(`${sluice.http}/live/by-tcp.flv`);
    await until('pictures come', () => flv.samples.filter(({ kind }) => kind === 'video').length > 30, 15_000);
    await flv.leave();
    await camera.close();
    await viewer.close();
  }, 60_000);

  it('goes through the relay of the settings alone, both ways', async () => {
    /** What the server names, and nothing else. */
    const configuration = (url: string) => `await (async () => {
      const link = (await fetch('${url}', { method: 'OPTIONS' })).headers.get('Link');
      const [, urls, username, credential] = /<(turn:[^>]+)>.*username="([^"]+)"; credential="([^"]+)"/.exec(link);
      return { iceServers: [{ urls, username, credential }], iceTransportPolicy: 'relay' };
    })()`;
    const [whep, whip] = [`${sluice.http}/whep/live/show`, `${sluice.http}/whip/live/relayed`];
    const viewer = await PeerPage.open(browser, whep, { configuration: configuration(whep) });
    await viewer.showsMore(40);
    expect((await viewer.selectedPair()).local).toMatchObject({ candidateType: 'relay' });
    const camera = await PeerPage.open(browser, whip, { configuration: configuration(whip), setUp: SEND_CAMERA });
    const flv = await httpFlvViewer(`${sluice.http}/live/relayed.flv`);
    await until('pictures come', () => flv.samples.filter(({ kind }) => kind === 'video').length > 30, 15_000);
    await flv.leave();
    await camera.close();
    await viewer.close();
  }, 60_000);

  it.runIf(IS_LONG)(
    'repairs what a viewer loses, 1 packet in 20',
    async () => {
      const line = await LossyLink.open(sluice.server.ports.webrtc ?? 0, { loss: 0.05, delayMs: 10, jitterMs: 5 });
      const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/show`, { change: by(line.port) });
      await viewer.showsMore(150, 30_000);
      await until(
        'lost packets have been sent once more',
        async () => {
          const { nackCount = 0, retransmittedPacketsReceived = 0 } = await viewer.stats('inbound-rtp', 'video');
          return nackCount > 3 && retransmittedPacketsReceived > 3;
        },
        20_000,
      );
      expect(line.lost).toBeGreaterThan(10);
      expect((await viewer.stats('inbound-rtp', 'video')).framesDropped ?? 0).toBeLessThan(20);
      await viewer.close();
      line.close();
    },
    90_000,
  );

  it('asks a publisher for what got lost, 1 packet in 20', async () => {
    const line = await LossyLink.open(sluice.server.ports.webrtc ?? 0, { loss: 0.05, delayMs: 10, jitterMs: 5 });
    const camera = await PeerPage.open(browser, `${sluice.http}/whip/live/lossy`, {
      change: by(line.port),
      setUp: SEND_CAMERA,
    });
    const flv = await httpFlvViewer(`${sluice.http}/live/lossy.flv`);
    const pictures = () => flv.samples.filter(({ kind }) => kind === 'video');
    await until('pictures come', () => pictures().length > 150, 30_000);
    // Lines are rolled with dice: on a good one it takes longer until so much is lost.
    const isAskedFor = async () => {
      const { nackCount = 0, retransmittedPacketsSent = 0 } = await camera.stats('outbound-rtp', 'video');
      return nackCount > 3 && retransmittedPacketsSent > 3;
    };
    await until('what got lost is asked for, and sent', isAskedFor, 30_000);
    // At some 30 a second, in ten gaps of 100 ms none is missing for good.
    const steps = pictures()
      .slice(1)
      .map(({ dts }, at) => dts - (pictures()[at]?.dts ?? 0));
    expect(steps.filter((step) => step > 500_000)).toEqual([]);
    await flv.leave();
    await camera.close();
    line.close();
  }, 90_000);

  it.runIf(IS_LONG)(
    'leaves out pictures that a narrow line has no room for, and sends all when it is wide again',
    async () => {
      const clip = await makeClip('h264', 4, { bitrate: 1_500_000 });
      const encoder = await ClipPublisher.start(`${sluice.rtmp}/live/wide`, clip, { loop: true });
      const line = await LossyLink.open(sluice.server.ports.webrtc ?? 0, { loss: 0, delayMs: 10, jitterMs: 0 });
      const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/wide`, { change: by(line.port) });
      const figures = async (): Promise<Record<string, number>> => {
        const { body } = await api<{ sessions: { path: string; transport: Record<string, number> | null }[] }>(
          sluice,
          'GET',
          '/api/v2/sessions?protocol=webrtc',
        );
        return body.sessions.find(({ path }) => path === 'live/wide')?.transport ?? {};
      };
      const dropped = async () => (await figures()).framesDropped ?? 0;
      const showsAll = async () => {
        const so = await dropped();
        await viewer.showsMore(50);
        return (await dropped()) === so;
      };
      await until('all is sent', showsAll, 15_000);

      line.rate = 700_000;
      await until('pictures are left out', async () => (await dropped()) > 40);
      line.longestQueueMs = 0;
      const before = await viewer.stats('inbound-rtp', 'video');
      const droppedBefore = await dropped();
      await until('many more are', async () => (await dropped()) > droppedBefore + 150, 30_000);
      const after = await viewer.stats('inbound-rtp', 'video');
      const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
      // A line that is full has half a second waiting, and a busy machine adds to it; one that nobody heeds has seconds.
      expect(line.longestQueueMs).toBeLessThan(1000);
      expect(grown('framesDecoded')).toBeGreaterThan(5);
      // Seconds that each picture waits in the browser, which allows for keyframes that take long, and for a busy machine.
      expect(grown('jitterBufferDelay') / grown('jitterBufferEmittedCount')).toBeLessThan(1.5);
      const { availableOutgoingBitrate = 0, roundTripTime = 0 } = await figures();
      expect(availableOutgoingBitrate).toBeGreaterThan(200_000);
      expect(availableOutgoingBitrate).toBeLessThan(1_000_000);
      expect(roundTripTime).toBeGreaterThan(0.01);

      line.rate = undefined;
      await until('all is sent again', showsAll, 15_000);
      await viewer.close();
      line.close();
      await encoder.stop();
    },
    120_000,
  );

  it.runIf(IS_LONG)(
    'begins anew on another way when the old one is gone, without a break of the session',
    async () => {
      const line = await LossyLink.open(sluice.server.ports.webrtc ?? 0, { loss: 0, delayMs: 0, jitterMs: 0 });
      const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/show`, { change: by(line.port) });
      await viewer.showsMore(20);
      line.close();
      const status = await viewer.page.evaluate<number[]>(`(async () => {
      const before = peer.remoteDescription.sdp;
      await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
      const own = peer.localDescription.sdp;
      const valueOf = (sdp, name) => new RegExp('a=' + name + ':(\\\\S+)').exec(sdp)[1];
      const body = 'a=ice-ufrag:' + valueOf(own, 'ice-ufrag') + '\\r\\na=ice-pwd:' + valueOf(own, 'ice-pwd') + '\\r\\n';
      const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' };
      const patch = (text, more = {}) =>
        fetch('${viewer.resource}', { method: 'PATCH', headers: { ...headers, ...more }, body: text });
      const response = await patch(body);
      const fragment = await response.text();
      const candidates = fragment.split('\\r\\n').filter((line) => line.startsWith('a=candidate'));
      const answer = before
        .replace(/a=ice-ufrag:.*/g, 'a=ice-ufrag:' + valueOf(fragment, 'ice-ufrag'))
        .replace(/a=ice-pwd:.*/g, 'a=ice-pwd:' + valueOf(fragment, 'ice-pwd'))
        .replace(/(a=candidate:.*\\r\\n)+/g, candidates.join('\\r\\n') + '\\r\\n');
      await peer.setRemoteDescription({ type: 'answer', sdp: answer });
      const again = await patch(body);
      const outdated = await patch(body, { 'If-Match': '"long-ago"' });
      const unreadable = await patch('hello');
      return [response.status, again.status, outdated.status, unreadable.status];
    })()`);
      expect(status).toEqual([200, 204, 412, 400]);
      await viewer.showsMore(40);
      expect((await viewer.selectedPair()).remote).toMatchObject({ port: sluice.server.ports.webrtc });
      await viewer.close();
    },
    60_000,
  );
});
