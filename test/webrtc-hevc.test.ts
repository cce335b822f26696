import { HEVC_NAL, hevcNalType, joinLengthPrefixed, parseHvcC, splitLengthPrefixed } from '@sluice/media';
import { H264Depacketiser, HevcDepacketiser, packetiseHevc } from '@sluice/rtp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { ClipPublisher } from './support/publisher.js';
import { RtpPeer } from './support/rtp-peer.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const H265 = ['rtpmap:96 H265/90000', 'fmtp:96 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST'];
const TICK_MS = 40;

interface Streams {
  readonly streams: { readonly name: string; readonly video: { readonly codec: string } | null }[];
}

/** Slices alone: parameter sets and SEI may go another way. */
const slicesOf = (accessUnit: Buffer): string =>
  joinLengthPrefixed(splitLengthPrefixed(accessUnit, 4).filter((unit) => hevcNalType(unit) < HEVC_NAL.vps)).toString(
    'hex',
  );

describe('WebRTC without a browser', () => {
  let sluice: TestServer;
  beforeAll(async () => {
    sluice = await startServer('viewers: { waitForStreamSeconds: 5 }');
  });
  afterAll(() => sluice.stop());

  it('takes HEVC by WHIP and gives it by WHEP, slice by slice as it was', async () => {
    const clip = await makeClip('hevc', 2);
    const pictures = clip.samples.filter(({ kind }) => kind === 'video');
    const config = clip.events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    const record = config.find(({ codec }) => codec === 'hevc')?.description ?? Buffer.alloc(0);
    const { vps, sps, pps } = parseHvcC(record);
    const publisher = await RtpPeer.connect(`${sluice.http}/whip/live/hevc`, 'sendonly', H265);
    expect(publisher.answer).toMatch(/a=rtpmap:96 H265\/90000/);
    let sent = 0;
    const timer = setInterval(() => {
      const picture = pictures[sent % pictures.length];
      if (picture === undefined) return;
      const sets = picture.keyframe ? [...vps, ...sps, ...pps] : [];
      for (const { pieces, marker } of packetiseHevc(picture.data, 1150, sets)) {
        publisher.send(pieces, marker, sent * 3600);
      }
      sent += 1;
    }, TICK_MS);
    try {
      await until('it is known what is sent', async () => {
        const { body } = await api<Streams>(sluice, 'GET', '/api/v1/streams');
        return body.streams.some(({ name, video }) => name === 'hevc' && video?.codec === 'HEVC');
      });
      const viewer = await RtpPeer.connect(`${sluice.http}/whep/live/hevc`, 'recvonly', H265);
      const depacketiser = new HevcDepacketiser();
      const got = () => viewer.got.filter(({ marker }) => marker).length;
      await until('pictures come', () => got() > 40, 15_000);
      const shown = viewer.got.flatMap(({ payload, marker, timestamp }) =>
        depacketiser.push(payload, marker, timestamp),
      );
      expect(shown[0]).toMatchObject({ keyframe: true, parameterSets: [...vps, ...sps, ...pps] });
      const originals = pictures.map(({ data }) => slicesOf(data));
      // Who comes in the middle of a GOP sees its keyframe, and moves from the next one on.
      const moving = shown[1]?.keyframe ? shown.slice(1) : shown;
      expect(originals).toContain(slicesOf(shown[0]?.accessUnit ?? Buffer.alloc(0)));
      const begin = originals.indexOf(slicesOf(moving[0]?.accessUnit ?? Buffer.alloc(0)));
      const expected = moving.map((_, at) => originals[(begin + at) % originals.length]);
      expect(moving.map(({ accessUnit }) => slicesOf(accessUnit))).toEqual(expected);
      await viewer.close();
    } finally {
      clearInterval(timer);
      await publisher.close();
    }
  });

  it('gives nothing to those who offer another codec', async () => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/avc`, await makeClip('h264', 2), { loop: true });
    await expect(RtpPeer.connect(`${sluice.http}/whep/live/avc`, 'recvonly', H265)).rejects.toThrow(/406/);
    const h264 = ['rtpmap:96 H264/90000', 'fmtp:96 packetization-mode=1;profile-level-id=42e01f'];
    const viewer = await RtpPeer.connect(`${sluice.http}/whep/live/avc`, 'recvonly', h264);
    await until('pictures come', () => viewer.got.length > 20);
    const depacketiser = new H264Depacketiser();
    const [first] = viewer.got.flatMap(({ payload, marker, timestamp }) =>
      depacketiser.push(payload, marker, timestamp),
    );
    expect(first?.keyframe).toBe(true);
    await viewer.close();
    await publisher.stop();
  });
});
