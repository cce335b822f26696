import { describe, expect, it } from 'vitest';
import { type MessageContext, messageFor as messageIn } from './messages.js';
import type { PlayerState } from './playback-state.js';
import type { TrackStatus } from './status-client.js';
import { textsFor } from './texts/texts.js';

const context: MessageContext = { path: 'live/show', seen: false, attempts: 0 };
const hevc: TrackStatus = { kind: 'video', codec: 'hevc', codecString: 'hvc1.1.6.L93.B0' };
const opus: TrackStatus = { kind: 'audio', codec: 'opus', codecString: 'opus' };

const messageFor = (state: PlayerState, told: MessageContext) => messageIn(state, told, textsFor(['en']));

describe('messageFor', () => {
  it('leaves a picture alone', () => {
    expect(messageFor('playing', context)).toBeUndefined();
    expect(messageFor('paused', context)).toBeUndefined();
  });

  it('tells a stream that has not begun from one that has ended', () => {
    expect(messageFor('offline', context)).toEqual({
      headline: 'live/show is not live yet.',
      detail: 'It will start by itself.',
    });
    expect(messageFor('offline', { ...context, seen: true })?.headline).toBe('live/show has ended.');
  });

  it('tells a first attempt from another', () => {
    expect(messageFor('connecting', context)?.headline).toBe('Connecting …');
    expect(messageFor('connecting', { ...context, attempts: 1 })?.headline).toBe('The connection broke.');
  });

  it('names the codec, and the protocol that would do', () => {
    const unsupported = { protocol: 'hls', tracks: [opus], others: ['flv', 'ws-flv'] } as const;
    expect(messageFor('unsupported', { ...context, unsupported })).toEqual({
      headline: "This browser can't play Opus over HLS.",
      detail: 'HTTP-FLV or WS-FLV will do: choose it in the settings.',
    });
  });

  it('says so when no protocol would do', () => {
    const unsupported = { protocol: 'flv', tracks: [hevc, opus], others: [] } as const;
    expect(messageFor('unsupported', { ...context, unsupported })).toMatchObject({
      headline: "This browser can't play HEVC (hvc1.1.6.L93.B0) and Opus over HTTP-FLV.",
      detail: expect.stringMatching(/Another browser may/),
    });
  });

  it('says so when the browser lacks the protocol itself', () => {
    const unsupported = { protocol: 'flv', tracks: [], others: ['hls'] } as const;
    expect(messageFor('unsupported', { ...context, unsupported })).toEqual({
      headline: "This browser can't play HTTP-FLV.",
      detail: 'HLS will do: choose it in the settings.',
    });
  });

  it('leaves out the protocol where none was asked for', () => {
    const unsupported = { protocol: undefined, tracks: [hevc], others: [] };
    expect(messageFor('unsupported', { ...context, unsupported })?.headline).toBe(
      "This browser can't play HEVC (hvc1.1.6.L93.B0).",
    );
  });

  it('says so when again and again nothing comes over the protocol that was asked for', () => {
    const told = messageFor('connecting', { ...context, attempts: 2, nothingOver: 'webrtc' });
    expect(told?.headline).toBe('No picture comes over WebRTC.');
  });

  it('tells a device without a network from a server that is away', () => {
    expect(messageFor('unreachable', context)?.headline).toBe('The server does not answer.');
    expect(messageFor('unreachable', { ...context, deviceOffline: true })?.headline).toBe('This device is offline.');
  });

  it('speaks German', () => {
    const german = textsFor(['fr', 'de-AT', 'en']);
    expect(messageIn('offline', context, german)?.headline).toBe('live/show ist noch nicht live.');
    const unsupported = { protocol: 'flv', tracks: [], others: ['hls'] } as const;
    expect(messageIn('unsupported', { ...context, unsupported }, german)).toEqual({
      headline: 'Dieser Browser kann HTTP-FLV nicht abspielen.',
      detail: 'HLS geht: in den Einstellungen zu wählen.',
    });
    const over = { ...unsupported, tracks: [opus] };
    expect(messageIn('unsupported', { ...context, unsupported: over }, german)?.headline).toBe(
      'Dieser Browser kann Opus über HTTP-FLV nicht abspielen.',
    );
  });

  it.each([
    [429, /no more viewers/],
    [503, /going down/],
    [403, /does not let you/],
    [400, /no name/],
  ])('tells the refusal %d', (refusal, text) => {
    expect(messageFor('refused', { ...context, refusal })?.headline).toMatch(text);
  });
});
