import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isStun, STUN_TYPE, writeStun } from '@sluice/webrtc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { PeerPage } from './support/peer-page.js';
import { ClipPublisher } from './support/publisher.js';
import { SECRET_MARK, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const TURN_SECRET = `turn-secret-${SECRET_MARK}`;

describe('Offers of WebRTC', () => {
  let sluice: TestServer;
  let browser: TestBrowser;
  /** Sees everybody at an address of the documentation's. */
  const stun = createSocket('udp4');
  beforeAll(async () => {
    stun.bind(0, '127.0.0.1');
    await once(stun, 'listening');
    stun.on('message', (datagram, { port }) => {
      if (!isStun(datagram)) return;
      const mappedAddress = { address: '203.0.113.5', port };
      const transaction = datagram.subarray(8, 20);
      stun.send(writeStun({ type: STUN_TYPE.bindingSuccess, transaction, mappedAddress }), port, '127.0.0.1');
    });
    sluice = await startServer(
      `
      webrtc:
        iceServers: [ "stun:stun.example.org:3478", "turn:turn.example.org:3478?transport=udp" ]
        turn: { realm: example.org }
        stunServer: stun:127.0.0.1:${(stun.address() as AddressInfo).port}
      paths: { "vip/*": { access: { play: credential } } }`,
      { SLUICE_WEBRTC_TURN_SECRET: TURN_SECRET },
    );
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await sluice.stop();
    stun.close();
  });

  async function offerOf(setUp: string): Promise<string> {
    const page = await browser.newPage();
    await page.goto(`${sluice.http}/`);
    const offer = await page.evaluate<string>(`(async () => {
      const peer = new RTCPeerConnection();
      ${setUp}
      return (await peer.createOffer()).sdp;
    })()`);
    await page.close();
    return offer;
  }
  const TO_PLAY = `peer.addTransceiver('video', { direction: 'recvonly' });`;
  const TO_PUBLISH = `peer.addTransceiver('video', { direction: 'sendonly' });`;

  it('are answered before there is a stream, which is shown when it comes', async () => {
    const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/later`);
    await until('it is connected', () => viewer.page.evaluate<boolean>(`peer.connectionState === 'connected'`));
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/later`, await makeClip('h264', 2), { loop: true });
    await viewer.showsMore(20);
    await viewer.hears();
    await viewer.close();
    await publisher.stop();
  }, 40_000);

  it('leave out B-frames, and say so', async () => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/b`, await makeClip('h264-b', 2), { loop: true });
    const viewer = await PeerPage.open(browser, `${sluice.http}/whep/live/b`);
    await viewer.showsMore(20);
    expect(sluice.log.filter(({ msg }) => /B-frames/.test(msg))).toMatchObject([
      { path: 'live/b', fix: expect.stringContaining('bframes=0') },
    ]);
    const status = await (await fetch(`${sluice.http}/status/streams/live/b`)).json();
    expect(status).toMatchObject({ bFrames: true });
    await viewer.close();
    await publisher.stop();
  }, 40_000);

  it('name the servers that help to get through, with credentials for who is let in', async () => {
    const options = async (path: string, headers = {}) =>
      (await fetch(`${sluice.http}${path}`, { method: 'OPTIONS', headers })).headers;
    const open = (await options('/whep/live/show')).get('link') ?? '';
    expect(open).toMatch(/<stun:stun\.example\.org:3478>; rel="ice-server"/);
    expect(open).toMatch(/<turn:[^>]+>; rel="ice-server"; username="\d{10}:[^"]+"; credential="[A-Za-z0-9+/]{27}="/);
    expect((await options('/whep/vip/show')).get('link')).toBe('<stun:stun.example.org:3478>; rel="ice-server"');
    const preflight = await options('/whep/live/show', { 'Access-Control-Request-Method': 'POST' });
    expect(preflight.get('link')).not.toContain('turn:');
    expect(preflight.get('access-control-allow-methods')).toContain('PATCH');
    expect(preflight.get('accept-post')).toBe('application/sdp');
  });

  it('are answered with the address of the STUN server, or that which the client names', async () => {
    const offer = await offerOf(TO_PLAY);
    const post = async (query: string) => {
      const headers = { 'Content-Type': 'application/sdp' };
      const response = await fetch(`${sluice.http}/whep/live/show${query}`, { method: 'POST', headers, body: offer });
      expect(response.headers.get('link')).toContain('turn:turn.example.org');
      expect(response.headers.get('etag')).toMatch(/^"\S{8}"$/);
      await fetch(new URL(response.headers.get('location') ?? '', sluice.http), { method: 'DELETE' });
      const sdp = await response.text();
      return [...sdp.matchAll(/^a=candidate:\d+ 1 (\S+) \d+ (\S+) (\d+)/gm)].map(([, ...parts]) => parts.join(' '));
    };
    const { webrtc } = sluice.server.ports;
    expect(await post('')).toEqual(
      ['udp', 'tcp'].flatMap((protocol) =>
        ['127.0.0.1', '203.0.113.5'].map((address) => `${protocol} ${address} ${webrtc}`),
      ),
    );
    expect(await post('?eip=198.51.100.7:9000')).toEqual(['udp 198.51.100.7 9000', 'tcp 198.51.100.7 9000']);
  });

  it('come in the JSON of SRS, too', async () => {
    const ask = async (action: string, body: unknown) => {
      const response = await fetch(`${sluice.http}/rtc/v1/${action}/`, { method: 'POST', body: JSON.stringify(body) });
      expect(response.status).toBe(200);
      return (await response.json()) as Record<string, unknown>;
    };
    const sdp = await offerOf(TO_PUBLISH);
    const api = `${sluice.http}/rtc/v1/publish/`;
    const published = await ask('publish', { api, tid: '5', clientip: null, sdp, streamurl: 'webrtc://h/live/json' });
    expect(published).toMatchObject({ code: 0, sessionid: expect.any(String), sdp: expect.stringContaining('v=0') });
    const resource = `${sluice.http}/whip/live/json/${published.sessionid}`;
    expect((await fetch(resource, { method: 'DELETE' })).status).toBe(200);
    const played = await ask('play', { sdp: await offerOf(TO_PLAY), streamurl: 'http://h:8080/live/json.flv?a=b' });
    expect(played).toMatchObject({ code: 0 });
    expect(await ask('play', { sdp: 'hello', streamurl: 'rtmp://h/live/json' })).toMatchObject({ code: 400 });
    expect(await ask('play', { sdp, streamurl: 'live/json' })).toMatchObject({ code: 400 });
    expect(await ask('play', { streamurl: 'rtmp://h/live/json' })).toMatchObject({ code: 400 });
    expect(await ask('play', { sdp, streamurl: 'webrtc://h/vip/show' })).toMatchObject({ code: 401 });
  });
});
