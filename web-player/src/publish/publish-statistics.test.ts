import { describe, expect, it } from 'vitest';
import { PublishStatistics, type StatisticsEntry } from './publish-statistics.js';

const video = (timestamp: number, bytesSent: number, more: Partial<StatisticsEntry> = {}): StatisticsEntry => ({
  id: 'v',
  type: 'outbound-rtp',
  kind: 'video',
  timestamp,
  bytesSent,
  packetsSent: 100,
  ...more,
});
const audio = (timestamp: number, bytesSent: number): StatisticsEntry => ({
  ...video(timestamp, bytesSent),
  id: 'a',
  kind: 'audio',
});

describe('PublishStatistics', () => {
  it('counts bits between two looks, of picture and sound', () => {
    const statistics = new PublishStatistics();
    expect(statistics.look([video(1000, 0), audio(1000, 0)]).bitrate).toBeUndefined();
    expect(statistics.look([video(3000, 500_000), audio(3000, 10_000)]).bitrate).toBe(2_040_000);
  });

  it('begins anew with a new session', () => {
    const statistics = new PublishStatistics();
    statistics.look([video(1000, 900_000)]);
    expect(statistics.look([video(2000, 100)]).bitrate).toBeUndefined();
    expect(statistics.look([{ ...video(3000, 100), id: 'other' }]).bitrate).toBeUndefined();
    expect(statistics.look([{ ...video(3000, 100), id: 'other' }]).bitrate).toBeUndefined();
  });

  it('reads what the browser says of the picture and of the way', () => {
    const figures = new PublishStatistics().look([
      video(0, 0, {
        frameWidth: 1280,
        frameHeight: 720,
        framesPerSecond: 29,
        qualityLimitationReason: 'cpu',
        retransmittedPacketsSent: 3,
      }),
      { id: 'r', type: 'remote-inbound-rtp', timestamp: 0, packetsLost: 2, roundTripTime: 0.05 },
      { id: 'q', type: 'remote-inbound-rtp', timestamp: 0, packetsLost: -1 },
      { id: 'x', type: 'candidate-pair', timestamp: 0, state: 'succeeded', nominated: false, currentRoundTripTime: 9 },
      {
        id: 'p',
        type: 'candidate-pair',
        timestamp: 0,
        state: 'succeeded',
        nominated: true,
        currentRoundTripTime: 0.0123,
      },
    ]);
    expect(figures).toEqual({
      bitrate: undefined,
      width: 1280,
      height: 720,
      framesPerSecond: 29,
      roundTripMs: 12,
      packetsSent: 100,
      packetsLost: 2,
      packetsRetransmitted: 3,
      limitation: 'cpu',
    });
  });

  it('takes the server’s word for the round trip where the browser has no pair, and knows nothing of nothing', () => {
    const report = { id: 'r', type: 'remote-inbound-rtp', timestamp: 0, roundTripTime: 0.02 };
    expect(new PublishStatistics().look([report]).roundTripMs).toBe(20);
    expect(new PublishStatistics().look([])).toMatchObject({
      bitrate: undefined,
      roundTripMs: undefined,
      packetsLost: 0,
      limitation: 'none',
    });
  });
});
