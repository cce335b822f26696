import { describe, expect, it } from 'vitest';
import { type Place, publishAddresses, watchAddresses } from './addresses.js';

const ports = { rtmp: 1935, rtmps: null, http: 8080, https: 8088, srt: 10080, webrtc: 8000 };
const place: Place = { hostname: 'media.example', isSecure: false, ports };

const textOf = (addresses: readonly { kind: string; text: string }[], kind: string) =>
  addresses.find((address) => address.kind === kind)?.text;

describe('addresses of a stream', () => {
  it('are those of the ports that are open', () => {
    const watch = watchAddresses('live/a/show', place);
    expect(textOf(watch, 'page')).toBe('http://media.example:8080/player/live/a/show');
    expect(textOf(watch, 'rtmp')).toBe('rtmp://media.example/live/a/show');
    expect(textOf(watch, 'srt')).toBe('srt://media.example:10080?streamid=read:live/a/show');
    expect(textOf(watch, 'ws-flv')).toBe('ws://media.example:8080/live/a/show.flv');
    const publish = publishAddresses('live/a/show', { ...place, ports: { ...ports, rtmp: 19350 } });
    expect([textOf(publish, 'obs-server'), textOf(publish, 'obs-key')]).toEqual([
      'rtmp://media.example:19350/live/a',
      'show',
    ]);
    expect(textOf(publish, 'whip')).toBe('http://media.example:8080/whip/live/a/show');
    const few = { ...place, ports: { ...ports, srt: null, webrtc: null } };
    const kinds = [...watchAddresses('live/show', few), ...publishAddresses('live/show', few)].map(({ kind }) => kind);
    expect(kinds).not.toEqual(expect.arrayContaining(['srt']));
    expect(kinds.filter((kind) => /srt|whip|whep|publish-page/.test(kind))).toEqual([]);
  });

  it('go by TLS where the console does', () => {
    const secure = { ...place, isSecure: true };
    expect(textOf(watchAddresses('live/show', secure), 'hls')).toBe('https://media.example:8088/live/show.m3u8');
    expect(textOf(watchAddresses('live/show', secure), 'embed')).toContain(
      'src="https://media.example:8088/live/show"',
    );
    const without = { ...secure, ports: { ...ports, https: null } };
    expect(textOf(watchAddresses('live/show', without), 'hls')).toBe('http://media.example:8080/live/show.m3u8');
  });
});
