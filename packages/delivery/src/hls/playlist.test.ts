import { micros, millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { renderPlaylist, targetDuration } from './playlist.js';
import type { Segment } from './segmenter.js';

const segment = (number: number, seconds: number, discontinuity = false): Segment => ({
  number,
  bytes: Buffer.alloc(188),
  duration: micros(seconds * 1_000_000),
  startedAt: millis(Date.UTC(2026, 0, 2, 3, 4, 5 + number)),
  discontinuity,
});

describe('playlist', () => {
  it('says what RFC 8216 asks of a live playlist', () => {
    const text = renderPlaylist({
      segments: [segment(7, 2), segment(8, 1.96, true)],
      target: micros(2_000_000),
      discontinuitySequence: 3,
      ended: true,
      urlOf: ({ number }) => `show/hls/e-${number}.ts`,
    });
    expect(text).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:12.000Z
#EXTINF:2.000,
show/hls/e-7.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:13.000Z
#EXTINF:1.960,
show/hls/e-8.ts
#EXT-X-ENDLIST
`);
  });

  it('has a target duration that no segment exceeds when rounded', () => {
    expect(targetDuration(micros(2_000_000), [segment(0, 2.4)])).toBe(2);
    expect(targetDuration(micros(2_000_000), [segment(0, 2.5)])).toBe(3);
    expect(targetDuration(micros(200_000), [])).toBe(1);
  });
});
