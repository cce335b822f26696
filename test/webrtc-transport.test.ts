import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseAvcC, type VideoTrackConfig } from '@sluice/media';
import { H264Depacketiser, packetiseH264, type RtcpPacket, type RtpPacket, writeRtpHeader } from '@sluice/rtp';
import { type AnsweredMedia, type Offer, type OfferedCodec, readOffer, WebRtcServer } from '@sluice/webrtc';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from './support/browser.js';
import { makeClip } from './support/clip.js';
import { until } from './support/until.js';

const PAYLOAD_BYTES = 1150;
const SSRC = 0x1234_5678;

const isH264 = ({ name, parameters }: OfferedCodec): boolean =>
  name === 'H264' && parameters.get('packetization-mode') === '1';

/** What a page says of itself over its peer connection. */
type Stats = Record<string, number>;

describe('WebRTC with Chromium', () => {
  let browser: TestBrowser;
  let pages: Server;
  let server: WebRtcServer;
  beforeAll(async () => {
    browser = await startBrowser();
    pages = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>peer</title><video autoplay muted></video>');
    });
    await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
    server = new WebRtcServer({ announce: () => [{ address: '127.0.0.1' }], tcp: true, wallClock: () => new Date() });
    await server.listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    await browser.close();
    await server.close('done');
    await new Promise((done) => pages.close(done));
  });

  async function newPage(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
    return page;
  }

  const offerOf = (page: Page, setUp: string) =>
    page.evaluate<string>(`(async () => {
      const peer = new RTCPeerConnection();
      globalThis.peer = peer;
      peer.ontrack = ({ streams }) => { document.querySelector('video').srcObject = streams[0]; };
      ${setUp}
      await peer.setLocalDescription(await peer.createOffer());
      return peer.localDescription.sdp;
    })()`);

  const answer = (page: Page, sdp: string) =>
    page.evaluate(`peer.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(sdp)} })`);

  const stats = (page: Page, type: string) =>
    page.evaluate<Stats>(`(async () => {
      const found = [...(await peer.getStats()).values()].find(({ type, kind }) => type === '${type}' && kind === 'video');
      return { ...found };
    })()`);

  function answeredMedia(offer: Offer, direction: 'sendonly' | 'recvonly'): (AnsweredMedia | undefined)[] {
    return offer.media.map((offered) => {
      const codec = offered.codecs.find((codec) => isH264(codec) || codec.name === 'opus');
      if (codec === undefined) return undefined;
      const source = { ssrc: SSRC, retransmissionSsrc: SSRC + 1, cname: 'sluice' };
      return { offered, direction, codec, extensions: [], ...(direction === 'sendonly' ? { source } : {}) };
    });
  }

  it('shows it a picture', async () => {
    const clip = await makeClip('h264', 4);
    const config = clip.events.find(
      (event): event is { type: 'config'; config: VideoTrackConfig } =>
        event.type === 'config' && event.config.kind === 'video',
    )?.config;
    if (config === undefined) throw new Error('the clip has no picture');
    const { sps, pps } = parseAvcC(config.description);
    const page = await newPage();
    const offer = readOffer(await offerOf(page, `peer.addTransceiver('video', { direction: 'recvonly' });`));
    let isConnected = false;
    let ended: string | undefined;
    const asked: RtcpPacket[] = [];
    const media = answeredMedia(offer, 'sendonly');
    const peer = server.open(offer, media, {
      rtp: () => undefined,
      rtcp: (packets) => asked.push(...packets),
      connected: () => {
        isConnected = true;
      },
      closed: (reason) => {
        ended = reason;
      },
    });
    await answer(page, peer.answer);
    await until('it is connected', () => isConnected, 10_000);
    const payloadType = media[0]?.codec.payloadType ?? 0;
    let sequence = 65_500;
    for (const sample of clip.samples.filter(({ kind }) => kind === 'video')) {
      const payloads = packetiseH264(sample.data, PAYLOAD_BYTES, sample.keyframe ? [...sps, ...pps] : []);
      const timestamp = Math.round((sample.pts * 90) / 1000);
      for (const { pieces, marker } of payloads) {
        const header = Buffer.alloc(12);
        writeRtpHeader(header, { marker, payloadType, sequence: sequence++, timestamp, ssrc: SSRC });
        peer.sendRtp(header, pieces);
      }
      await new Promise((done) => setTimeout(done, 40));
    }
    await until('every picture is decoded', async () => ((await stats(page, 'inbound-rtp')).framesDecoded ?? 0) >= 95);
    expect(await stats(page, 'inbound-rtp')).toMatchObject({ packetsLost: 0, frameWidth: 320, frameHeight: 180 });
    expect(asked.some(({ type }) => type === 'receiver-report')).toBe(true);
    await page.evaluate('peer.close()');
    await until('it is over', () => ended !== undefined);
    expect(ended).toMatch(/closed by the peer/);
    expect(server.sessions).toBe(0);
    await page.close();
  });

  it('takes its camera and its microphone', async () => {
    const page = await newPage();
    const setUp = `
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 180 }, audio: true });
      for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });`;
    const offer = readOffer(await offerOf(page, setUp));
    expect(offer.media.map(({ kind }) => kind).sort()).toEqual(['audio', 'video']);
    const got: RtpPacket[] = [];
    const media = answeredMedia(offer, 'recvonly');
    const peer = server.open(offer, media, {
      rtp: (packet) => got.push(packet),
      rtcp: () => undefined,
      connected: () => undefined,
      closed: () => undefined,
    });
    await answer(page, peer.answer);
    const video = media.find((answered) => answered?.offered.kind === 'video')?.codec.payloadType;
    const ofPicture = () => got.filter(({ payloadType }) => payloadType === video);
    await until(
      'a second of both has come',
      () => ofPicture().length > 60 && got.length - ofPicture().length > 40,
      15_000,
    );
    const depacketiser = new H264Depacketiser();
    const pictures = ofPicture()
      .sort((a, b) => a.timestamp - b.timestamp || a.sequence - b.sequence)
      .flatMap(({ payload, marker, timestamp }) => depacketiser.push(payload, marker, timestamp));
    expect(pictures.length).toBeGreaterThan(15);
    expect(pictures[0]).toMatchObject({ keyframe: true, parameterSets: [expect.any(Buffer), expect.any(Buffer)] });
    peer.close('done');
    await until('Chromium has heard of it', () =>
      page.evaluate<boolean>(`['closed', 'failed', 'disconnected'].includes(peer.connectionState)`),
    );
    await page.close();
  });
});
