import { micros } from '@sluice/media';
import { ArrivalLog, type RtcpPacket, type RtpPacket, readHeaderExtension, readRtp, type Ssrc } from '@sluice/rtp';
import { describe, expect, it } from 'vitest';
import type { RtpSample } from './rtp-output.js';
import { type RtpLeg, RtpViewer } from './rtp-viewer.js';

const VIDEO: RtpLeg = {
  kind: 'video',
  codec: 'h264',
  payloadType: 102,
  retransmissionType: 103,
  clockRate: 90_000,
  ssrc: 1,
  retransmissionSsrc: 2,
};
const AUDIO: RtpLeg = {
  ...VIDEO,
  kind: 'audio',
  codec: 'opus',
  payloadType: 111,
  retransmissionType: undefined,
  clockRate: 48_000,
  ssrc: 3,
};

const sample = (kind: 'video' | 'audio', at: number, keyframe = kind === 'audio'): RtpSample => ({
  kind,
  codec: kind === 'video' ? 'h264' : 'opus',
  keyframe,
  disposable: false,
  pts: micros(at * 40_000),
  payloads: ['one ', 'two '].map((text, index) => {
    const pieces = [Buffer.from(text), Buffer.from(String(at))];
    return { pieces, length: Buffer.concat(pieces).length, marker: index === 1 };
  }),
});

function viewerOf(legs: readonly RtpLeg[]) {
  const sent: RtpPacket[] = [];
  const reports: RtcpPacket[] = [];
  const ended: string[] = [];
  const asked: string[] = [];
  let now = 1_000_000;
  const viewer = new RtpViewer({
    peer: {
      id: '',
      answer: '',
      iceTag: '',
      fragment: () => undefined,
      isConnected: true,
      sendRtp: (header, pieces) => sent.push(readRtp(Buffer.concat([header, ...pieces]))),
      sendRtcp: (packets) => reports.push(...packets),
      close: () => undefined,
    },
    legs,
    random: () => 65_534,
    wallClock: () => now,
    now: () => now,
    onEnd: (reason) => ended.push(reason),
    onPictureLost: () => asked.push('keyframe'),
  });
  return { viewer, sent, reports, ended, asked, pass: (ms: number) => (now += ms), time: () => now };
}

describe('RtpViewer', () => {
  it('sends a still, after which it begins at a keyframe', () => {
    const { viewer, sent } = viewerOf([VIDEO]);
    viewer.still(sample('video', 1, true));
    expect(sent.map(({ sequence }) => sequence)).toEqual([65_534, 65_535]);
    viewer.sample(sample('video', 2));
    expect(sent).toHaveLength(2);
    viewer.sample(sample('video', 3, true));
    expect(sent.map(({ sequence }) => sequence)).toEqual([65_534, 65_535, 0, 1]);
    viewer.still(sample('video', 1, true));
    expect(sent).toHaveLength(4);
  });

  it('begins at a keyframe, and numbers packets over their wrap', () => {
    const { viewer, sent } = viewerOf([VIDEO, AUDIO]);
    viewer.sample(sample('video', 1));
    expect(sent).toEqual([]);
    viewer.sample(sample('video', 2, true));
    viewer.sample(sample('audio', 3));
    expect(sent.map(({ payloadType, sequence, marker }) => [payloadType, sequence, marker])).toEqual([
      [102, 65_534, false],
      [102, 65_535, true],
      [111, 65_534, false],
      [111, 65_535, true],
    ]);
    viewer.sample(sample('video', 4));
    const [first, , , , fifth] = sent;
    expect(fifth?.sequence).toBe(0);
    expect((fifth?.timestamp ?? 0) - (first?.timestamp ?? 0)).toBe(7200);
    expect(viewer.bytes).toBe(6 * 5);
  });

  it('sends again what was lost, by a source of its own where there is one', () => {
    const { viewer, sent } = viewerOf([VIDEO, AUDIO]);
    viewer.sample(sample('video', 0, true));
    viewer.sample(sample('audio', 0));
    const before = sent.length;
    const nack = (media: number, lost: number[]): RtcpPacket => ({
      type: 'nack',
      sender: 9 as Ssrc,
      media: media as Ssrc,
      lost,
    });
    viewer.receive([nack(1, [65_535, 77]), nack(3, [65_534])]);
    const [video, audio] = sent.slice(before);
    expect(video).toMatchObject({ payloadType: 103, ssrc: 2, sequence: 65_534, timestamp: sent[1]?.timestamp });
    expect(video?.payload).toEqual(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.from('two 0')]));
    expect(audio).toMatchObject({ payloadType: 111, ssrc: 3, sequence: 65_534 });
    expect(audio?.payload.toString()).toBe('one 0');
    expect(sent).toHaveLength(before + 2);
    expect(viewer.figures()).toEqual({ packetsSent: 4, retransmittedPacketsSent: 2, nackCount: 2 });
  });

  it('says when it can not go on: without a keyframe, or with a codec that was not agreed on', () => {
    const { viewer, asked, ended, sent } = viewerOf([VIDEO, AUDIO]);
    viewer.receive([{ type: 'pli', sender: 9 as Ssrc, media: 1 as Ssrc }]);
    expect(asked).toEqual(['keyframe']);
    viewer.sample({ ...sample('video', 0, true), codec: 'hevc' });
    expect(sent).toEqual([]);
    viewer.codecs(['hevc', 'opus']);
    expect(ended).toEqual([]);
    viewer.codecs(['hevc']);
    expect(ended).toEqual([expect.stringContaining('the stream is hevc now')]);
  });

  it('reports each second how picture and sound belong together', () => {
    const { viewer, reports, pass } = viewerOf([VIDEO, AUDIO]);
    viewer.sample(sample('video', 0, true));
    expect(reports.map(({ type }) => type)).toEqual(['sender-report', 'sender-report']);
    viewer.sample(sample('video', 1));
    expect(reports).toHaveLength(2);
    pass(1000);
    viewer.sample(sample('video', 25));
    expect(reports).toHaveLength(4);
    expect(reports[2]).toMatchObject({ ssrc: 1, packets: 6 });
  });

  const NUMBERED = [
    { ...VIDEO, transportSequenceId: 3 },
    { ...AUDIO, transportSequenceId: 4 },
  ];
  const numberOf = ({ extension }: RtpPacket, id: number) => readHeaderExtension(extension, id)?.readUInt16BE(0);

  it('numbers the packets of all legs where that was agreed on, those that are sent again, too', () => {
    const { viewer, sent } = viewerOf(NUMBERED);
    viewer.sample(sample('video', 0, true));
    viewer.sample(sample('audio', 0));
    viewer.receive([{ type: 'nack', sender: 9 as Ssrc, media: 1 as Ssrc, lost: [65_534] }]);
    const numbers = sent.map((packet) => numberOf(packet, packet.payloadType === 111 ? 4 : 3));
    expect(numbers).toEqual([0, 1, 2, 3, 4]);
    expect(sent.map(({ headerBytes }) => headerBytes)).toEqual([20, 20, 20, 20, 20]);
    expect(sent[1]?.payload.toString()).toBe('two 0');
    const { viewer: other, sent: plain } = viewerOf([VIDEO, AUDIO]);
    other.sample(sample('video', 0, true));
    expect(plain[0]).toMatchObject({ headerBytes: 12, extension: undefined });
  });

  it('drops pictures that a line has no room for, never sound, and goes on at a keyframe', () => {
    const { viewer, sent, pass, time } = viewerOf(NUMBERED);
    const log = new ArrivalLog();
    const part = Buffer.alloc(1000);
    const payloads = Array.from({ length: 6 }, (_, at) => ({ pieces: [part], length: part.length, marker: at === 5 }));
    /** 25 pictures a second of 6,000 bytes, and sound, on a line of so many bit/s. */
    const watch = (pictures: number, bitrate: number) => {
      let [free, told] = [time(), 0];
      const underWay: { readonly number: number; readonly at: number }[] = [];
      sent.length = 0;
      for (let at = 0; at < pictures; at++) {
        viewer.sample({ ...sample('video', at, at % 25 === 0), payloads });
        viewer.sample(sample('audio', at));
        for (; told < sent.length; told++) {
          const packet = sent[told];
          if (packet === undefined) continue;
          free = Math.max(free, time()) + ((packet.payload.length + 64) * 8000) / bitrate;
          underWay.push({ number: numberOf(packet, packet.payloadType === 111 ? 4 : 3) ?? -1, at: free + 10 });
        }
        pass(40);
        for (; underWay[0] !== undefined && underWay[0].at <= time(); underWay.shift()) {
          log.arrived(underWay[0].number, underWay[0].at);
        }
        if (at % 3 !== 0) continue;
        const feedback = log.take(time());
        viewer.receive(
          feedback.map((of) => ({ type: 'transport-feedback', sender: 9 as Ssrc, media: 1 as Ssrc, ...of })),
        );
      }
      const count = (type: number) => sent.filter(({ payloadType, marker }) => payloadType === type && marker).length;
      return { pictures: count(102), sound: count(111), queueMs: free - time() };
    };
    expect(watch(100, 10_000_000)).toMatchObject({ pictures: 100, sound: 100 });
    expect(viewer.figures()).toMatchObject({ framesDropped: 0 });
    expect(viewer.figures()).not.toHaveProperty('availableOutgoingBitrate');
    const narrow = watch(250, 600_000);
    expect(narrow.sound).toBe(250);
    expect(narrow.pictures).toBeGreaterThan(30);
    expect(narrow.pictures).toBeLessThan(150);
    expect(narrow.queueMs).toBeLessThan(400);
    const figures = viewer.figures();
    expect(figures.framesDropped).toBe(250 - narrow.pictures);
    expect(figures.availableOutgoingBitrate).toBeGreaterThan(400_000);
    expect(figures.availableOutgoingBitrate).toBeLessThan(800_000);
    watch(250, 10_000_000);
    expect(watch(100, 10_000_000)).toMatchObject({ pictures: 100, sound: 100 });
  });

  it('tells the round trip that the reports of the peer are for', () => {
    const { viewer, reports, pass } = viewerOf([VIDEO, AUDIO]);
    const answer = (delay: number, lastSenderReport: number): RtcpPacket => {
      const rest = { ssrc: 1 as Ssrc, fractionLost: 0, lost: 0, highestSequence: 0, jitter: 0 };
      return { type: 'receiver-report', ssrc: 9 as Ssrc, reports: [{ ...rest, delay, lastSenderReport }] };
    };
    viewer.sample(sample('video', 0, true));
    viewer.receive([answer(0, 0)]);
    expect(viewer.figures()).not.toHaveProperty('roundTripTime');
    const [report] = reports;
    if (report?.type !== 'sender-report') throw new Error('there is no sender report');
    const middle = (report.ntpSeconds % 0x1_0000) * 0x1_0000 + Math.floor(report.ntpFraction / 0x1_0000);
    pass(300);
    viewer.receive([answer(0x1_0000 / 4, middle)]);
    expect(viewer.figures().roundTripTime).toBeCloseTo(0.05, 3);
    // One that would be from the future.
    viewer.receive([answer(0x2_0000, middle)]);
    expect(viewer.figures().roundTripTime).toBeCloseTo(0.05, 3);
  });
});
