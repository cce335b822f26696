import { describe, expect, it } from 'vitest';
import { peerCounts, peerFigures } from './peer-figures.js';

const report = (bytes: number, delay: number, emitted: number) => [
  { type: 'codec', mimeType: 'video/H264' },
  {
    ...{ type: 'inbound-rtp', kind: 'video', bytesReceived: bytes, packetsLost: 3 },
    ...{ jitterBufferDelay: delay, jitterBufferEmittedCount: emitted },
  },
  { type: 'inbound-rtp', kind: 'audio', bytesReceived: 500, packetsLost: 1, jitterBufferDelay: 99 },
  { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 },
  { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.08 },
];

describe('the figures of a peer connection', () => {
  it('are what came between two looks', () => {
    const before = peerCounts(report(1000, 1, 10), 2000);
    const figures = peerFigures(before, peerCounts(report(126_000, 3, 50), 3000));
    expect(figures.bitsPerSecond).toBe(1_000_000);
    expect(figures.latencySeconds).toBeCloseTo(0.05 + 0.04);
    expect(figures).toMatchObject({ roundTripSeconds: 0.08, packetsLost: 4 });
  });

  it('are unknown while nothing was shown', () => {
    const counts = peerCounts([], 1000);
    expect(peerFigures(counts, counts)).toEqual({
      ...{ latencySeconds: undefined, bitsPerSecond: undefined, roundTripSeconds: undefined, packetsLost: 0 },
    });
  });
});
