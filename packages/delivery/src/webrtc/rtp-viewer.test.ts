import { micros } from '@sluice/media';
import { type RtcpPacket, type RtpPacket, readRtp, type Ssrc } from '@sluice/rtp';
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
    onEnd: (reason) => ended.push(reason),
    onPictureLost: () => asked.push('keyframe'),
  });
  return { viewer, sent, reports, ended, asked, pass: (ms: number) => (now += ms) };
}

describe('RtpViewer', () => {
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
});
