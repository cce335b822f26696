import {
  EVENT_SCHEME,
  encodeAmf0,
  parseSpliceInfo,
  readBoxes,
  readId3,
  type Sample,
  spliceTimeOf,
  type TimedMetadata,
  TsDemuxer,
} from '@sluice/media';
import { type SrtSocket, srtCall } from '@sluice/srt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from './support/clip.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { ClipPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

/** SCTE 35 §14.2: out of the network, for 60 s. */
const SPLICE = '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=';
const AHEAD = 2;

/** Somebody who watches over SRT. */
class SrtViewer {
  readonly metadata: TimedMetadata[] = [];
  readonly samples: Sample[] = [];
  readonly #demuxer = new TsDemuxer();

  constructor(socket: SrtSocket, also: (bytes: Buffer) => void = () => undefined) {
    socket.serve({
      payload: (bytes) => {
        also(Buffer.from(bytes));
        for (const event of this.#demuxer.push(bytes)) {
          if (event.type === 'timed-metadata') this.metadata.push(event);
          if (event.type === 'sample') this.samples.push(event.sample);
        }
      },
      closed: () => undefined,
    });
  }

  get errors(): number {
    const { continuityErrors, brokenSections, brokenUnits } = this.#demuxer.stats;
    return continuityErrors + brokenSections + brokenUnits;
  }
}

describe('timed metadata', () => {
  let sluice: TestServer;
  const sockets: SrtSocket[] = [];
  beforeAll(async () => {
    sluice = await startServer(`
      viewers: { waitForStreamSeconds: 5 }
      hls: { segmentSeconds: 1 }
      paths: { "ts/*": { hls: { container: mpegts } } }`);
  });
  afterAll(async () => {
    for (const socket of sockets) socket.close('done');
    await sluice.stop();
  });

  const call = async (streamId: string): Promise<SrtSocket> => {
    const socket = await srtCall({ host: '127.0.0.1', port: sluice.server.ports.srt ?? 0, streamId });
    sockets.push(socket);
    return socket;
  };

  it('goes from RTMP to SRT, and from there on to SRT, and stays in sync', async () => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const began = performance.now();
    const relay = await call('publish:live/again');
    const first = new SrtViewer(await call('read:live/show'), (bytes) => relay.send(bytes));
    await until('it plays', () => first.samples.length > 50);
    const second = new SrtViewer(await call('read:live/again'));
    await until('it plays once more', () => second.samples.length > 50);

    const timestamp = Math.round(performance.now() - began);
    const cue = { cue: SPLICE, type: 'scte35', id: '1', duration: 60, time: timestamp / 1000 + AHEAD };
    publisher.client.send({ type: 18, timestamp, payload: encodeAmf0('onTextData', { text: 'Tor!' }) });
    publisher.client.send({ type: 18, timestamp, payload: encodeAmf0('onAdCue', cue) });

    for (const viewer of [first, second]) {
      await until('both have come', () => viewer.metadata.length === 2);
      const [tag, splice] = viewer.metadata;
      expect([tag?.kind, splice?.kind]).toEqual(['id3', 'scte35']);
      expect(readId3(tag?.data ?? Buffer.alloc(0))).toEqual([
        { id: 'TXXX', description: 'onTextData', value: '{"text":"Tor!"}' },
      ]);
      const info = parseSpliceInfo(splice?.data ?? Buffer.alloc(0));
      expect(info.command).toEqual(parseSpliceInfo(Buffer.from(SPLICE, 'base64')).command);
      expect(Math.abs((splice?.at ?? 0) - (tag?.at ?? 0) - AHEAD * 1_000_000)).toBeLessThan(30);
      expect(Math.abs((spliceTimeOf(info) ?? 0) - (splice?.at ?? 0) * 0.09)).toBeLessThan(2);
      const last = Math.max(...viewer.samples.map(({ pts }) => pts));
      expect(Math.abs((tag?.at ?? 0) - last)).toBeLessThan(1_500_000);
      expect(viewer.errors).toBe(0);
    }
    await publisher.stop();
  });

  it.each([
    ['fmp4', 'live'],
    ['mpegts', 'ts'],
  ])('goes with the segments of HLS in %s, and cues into its playlist', async (container, app) => {
    const path = `${app}/breaks`;
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/${path}`, await makeClip('h264', 2), { loop: true });
    const began = performance.now();
    const playlist = async () => (await fetch(`${sluice.http}/${path}.m3u8`)).text();
    await until('there is a playlist', async () => (await playlist()).includes('#EXTINF'));
    const timestamp = Math.round(performance.now() - began);
    const cue = { cue: SPLICE, type: 'scte35', id: '1', duration: 60, time: timestamp / 1000 + AHEAD };
    publisher.client.send({ type: 18, timestamp, payload: encodeAmf0('onTextData', { text: 'Tor!' }) });
    publisher.client.send({ type: 18, timestamp, payload: encodeAmf0('onAdCue', cue) });
    const sentAt = Date.now();
    await until('the playlist tells of the break', async () => (await playlist()).includes('#EXT-X-DATERANGE'));
    const text = await playlist();
    const [, start = '', duration] =
      /#EXT-X-DATERANGE:.*START-DATE="([^"]+)",PLANNED-DURATION=([\d.]+),SCTE35-OUT=0x/.exec(text) ?? [];
    expect(Math.abs(Date.parse(start) - sentAt - AHEAD * 1000)).toBeLessThan(1500);
    expect(Number(duration)).toBeCloseTo(60.293, 1);
    const found = new Set<string>();
    await until('both are in segments', async () => {
      for (const [name] of (await playlist()).matchAll(/^breaks\/hls\/[0-9a-f]+-\d+\.(?:m4s|ts)$/gm)) {
        const bytes = Buffer.from(await (await fetch(`${sluice.http}/${app}/${name}`)).arrayBuffer());
        if (container === 'mpegts') {
          for (const event of new TsDemuxer().push(bytes)) if (event.type === 'timed-metadata') found.add(event.kind);
          continue;
        }
        const events = readBoxes(bytes).filter(({ type }) => type === 'emsg');
        for (const [kind, scheme] of Object.entries(EVENT_SCHEME)) {
          if (events.some(({ payload }) => payload.includes(scheme))) found.add(kind);
        }
      }
      return found.size === 2;
    });
    await publisher.stop();
  });

  it('tells who comes in a break that it runs, by HLS and by SRT', async () => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/late`, await makeClip('h264', 2), { loop: true });
    const cue = { cue: SPLICE, type: 'scte35', id: '1', duration: 60, time: 0.5 };
    publisher.client.send({ type: 18, timestamp: 0, payload: encodeAmf0('onAdCue', cue) });
    const sentAt = Date.now();
    await until('some keyframes have come since', () => publisher.sent > 200);

    const url = `${sluice.http}/live/late.m3u8`;
    const findings = await validateLive(url, { seconds: 2, media: false, jitterSeconds: 1.5 });
    const text = await (await fetch(url)).text();
    const start = /#EXT-X-DATERANGE:.*START-DATE="([^"]+)",PLANNED-DURATION=60.294,SCTE35-OUT=0x/.exec(text)?.[1] ?? '';
    expect(Math.abs(Date.parse(start) - sentAt - 500)).toBeLessThan(1500);
    const faults = findings.filter(({ rule }) => rule.startsWith('daterange'));
    expect(faults.map(({ rule, detail }) => `${rule}: ${detail}`)).toEqual([]);

    const viewer = new SrtViewer(await call('read:live/late'));
    await until('it has been told', () => viewer.metadata.length === 1);
    await until('it plays', () => viewer.samples.length > 50);
    expect(viewer.errors).toBe(0);
    await publisher.stop();
  });
});
