import { describe, expect, it } from 'vitest';
import { FailedProtocols } from './failed-protocols.js';
import type { BrowserAbilities, PlayerProtocol } from './protocol.js';
import { WayChoice } from './way-choice.js';

const browser: BrowserAbilities = {
  mediaSource: 'full',
  nativeHls: false,
  sourcePlays: (mimeType) => !mimeType.includes('hvc1'),
  elementPlays: () => true,
  peerPlays: (codec) => codec !== 'H265',
};
const h264 = { tracks: [{ kind: 'video', codec: 'h264', codecString: 'avc1.64001f' }] } as const;
const hevc = { tracks: [{ kind: 'video', codec: 'hevc', codecString: 'hvc1.1.6.L93.B0' }] } as const;

const choiceOf = (asked?: PlayerProtocol) => new WayChoice(browser, new FailedProtocols('https://a', undefined), asked);

describe('WayChoice', () => {
  it('goes from one protocol to the next, and begins anew after the last', () => {
    const way = choiceOf();
    const tried = [1, 2, 3, 4, 5].map(() => {
      const protocol = way.choose(h264);
      if (protocol !== undefined) way.broke({ protocol, hasMoved: false, attempts: 0 });
      way.serverIsWell();
      return protocol;
    });
    expect(tried).toEqual(['webrtc', 'll-hls', 'flv', 'hls', 'webrtc']);
  });

  it('does not blame the protocol while the server is away', () => {
    const way = choiceOf();
    way.broke({ protocol: 'webrtc', hasMoved: false, attempts: 0 });
    way.serverIsAway();
    way.serverIsWell();
    expect(way.choose(h264)).toBe('webrtc');
  });

  it('stays with what has shown a picture, unless it breaks again and again', () => {
    const way = choiceOf();
    for (const attempts of [0, 1, 2]) {
      way.broke({ protocol: 'webrtc', hasMoved: true, attempts });
      way.serverIsWell();
      expect(way.choose(h264)).toBe('webrtc');
    }
    way.broke({ protocol: 'webrtc', hasMoved: true, attempts: 3 });
    way.serverIsWell();
    expect(way.choose(h264)).toBe('ll-hls');
    way.networkChanged();
    expect(way.choose(h264)).toBe('webrtc');
  });

  it('keeps to the one that was asked for', () => {
    const way = choiceOf('flv');
    way.broke({ protocol: 'flv', hasMoved: false, attempts: 9 });
    way.serverIsWell();
    expect(way.choose(h264)).toBe('flv');
    expect(way.choose(hevc)).toBeUndefined();
    expect(choiceOf().choose(hevc)).toBeUndefined();
  });
});
