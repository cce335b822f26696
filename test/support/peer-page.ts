import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { TestBrowser } from './browser.js';
import { until } from './until.js';

/** What a page's peer connection says of what it receives or sends, by the names of its statistics. */
export type MediaStats = Readonly<Record<string, number>>;

export interface PeerPageOptions {
  /** Of the RTCPeerConnection, as JavaScript. */
  readonly configuration?: string;
  /** Sets up transceivers, as JavaScript; else one of each kind, to receive. */
  readonly setUp?: string;
  /** Changes the answer before it is taken, as JavaScript: `(sdp) => sdp`. */
  readonly change?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const RECEIVE = `for (const kind of ['video', 'audio']) peer.addTransceiver(kind, { direction: 'recvonly' });`;

/** Sends the (fake) camera and microphone. */
export const SEND_CAMERA = `
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });`;

/** A page that plays by WHEP or publishes by WHIP, as the simplest of clients does. */
export class PeerPage {
  readonly page: Page;
  /** Of its session. */
  readonly resource: string;

  private constructor(page: Page, resource: string) {
    this.page = page;
    this.resource = resource;
  }

  /** @param url of the offer; its origin serves a page */
  static async open(browser: TestBrowser, url: string, options: PeerPageOptions = {}): Promise<PeerPage> {
    const page = await browser.newPage();
    await page.goto(`${new URL(url).origin}/`);
    await page.setContent('<video autoplay></video>');
    const headers = { ...options.headers, 'Content-Type': 'application/sdp' };
    const answered = await page.evaluate<{ status: number; resource: string }>(`(async () => {
      const peer = new RTCPeerConnection(${options.configuration ?? '{}'});
      globalThis.peer = peer;
      peer.ontrack = ({ streams }) => { document.querySelector('video').srcObject = streams[0]; };
      ${options.setUp ?? RECEIVE}
      await peer.setLocalDescription(await peer.createOffer());
      const body = peer.localDescription.sdp;
      const response = await fetch('${url}', { method: 'POST', headers: ${JSON.stringify(headers)}, body });
      const change = ${options.change ?? '(sdp) => sdp'};
      const text = await response.text();
      if (response.status === 201) await peer.setRemoteDescription({ type: 'answer', sdp: change(text) });
      return { status: response.status, resource: response.headers.get('Location') };
    })()`);
    expect(answered.status).toBe(201);
    return new PeerPage(page, new URL(answered.resource, url).href);
  }

  /** Of one of the media: `inbound-rtp` or `outbound-rtp`. */
  stats(type: 'inbound-rtp' | 'outbound-rtp', kind: 'video' | 'audio'): Promise<MediaStats> {
    return this.page.evaluate<MediaStats>(`(async () => {
      const all = [...(await peer.getStats()).values()];
      return { ...all.find((entry) => entry.type === '${type}' && entry.kind === '${kind}') };
    })()`);
  }

  async framesDecoded(): Promise<number> {
    return (await this.stats('inbound-rtp', 'video')).framesDecoded ?? 0;
  }

  /** Waits for pictures beyond those that there are. */
  async showsMore(pictures: number, timeoutMs = 15_000): Promise<void> {
    const before = await this.framesDecoded();
    const what = `${pictures} more pictures are decoded`;
    await until(what, async () => (await this.framesDecoded()) >= before + pictures, timeoutMs);
  }

  async hears(): Promise<void> {
    await until('sound is heard', async () => ((await this.stats('inbound-rtp', 'audio')).totalAudioEnergy ?? 0) > 0);
  }

  /** The two ends of the way that media takes: `protocol` and `candidateType` of both. */
  selectedPair(): Promise<{ readonly local: Record<string, unknown>; readonly remote: Record<string, unknown> }> {
    return this.page.evaluate(`(async () => {
      const report = await peer.getStats();
      const all = [...report.values()];
      const transport = all.find(({ type }) => type === 'transport');
      const pair = report.get(transport.selectedCandidatePairId);
      return { local: report.get(pair.localCandidateId), remote: report.get(pair.remoteCandidateId) };
    })()`);
  }

  async close(): Promise<void> {
    await this.page.evaluate('peer.close()');
    await this.page.close();
  }
}
