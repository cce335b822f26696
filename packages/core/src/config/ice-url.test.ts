import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIceUrl } from './ice-url.js';
import { ConfigError, loadConfig } from './load.js';

describe('parseIceUrl', () => {
  it.each([
    ['stun:stun.example.org', { scheme: 'stun', host: 'stun.example.org', port: 3478, transport: 'udp' }],
    ['turn:192.0.2.1:80', { scheme: 'turn', host: '192.0.2.1', port: 80, transport: 'udp' }],
    ['turn:turn.example.org?transport=tcp', { scheme: 'turn', host: 'turn.example.org', port: 3478, transport: 'tcp' }],
    ['TURNS:turn.example.org', { scheme: 'turns', host: 'turn.example.org', port: 5349, transport: 'tcp' }],
    ['turns:[2001:db8::1]:443?transport=tcp', { scheme: 'turns', host: '2001:db8::1', port: 443, transport: 'tcp' }],
  ])('reads %s', (text, expected) => {
    expect(parseIceUrl(text)).toEqual(expected);
  });

  it.each([
    'stun.example.org:3478',
    'https://example.org',
    'stun:',
    'stun://example.org',
    'stun:example.org:0',
    'stun:example.org:65536',
    'stun:example.org?transport=udp',
    'stuns:example.org',
    'turn:user:password@example.org',
    'turn:example.org?transport=sctp',
    'turns:example.org?transport=udp',
    'turn:[1::2::3]',
    'turn:2001:db8::1',
    'turn:example.org\nno-auth',
  ])('refuses %j', (text) => {
    expect(parseIceUrl(text)).toBeUndefined();
    expect(() => loadConfig({ file: { name: 'x', text: JSON.stringify({ webrtc: { iceServers: [text] } }) } })).toThrow(
      /webrtc\.iceServers\.0: .* is not valid; allowed: URL \(stun, turn, turns\)/,
    );
  });

  it('bears anything', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('', 'stun:', 'turn:', 'turns:[', 'turn:host:'), (text, front) => {
        const { host = 'x', port = 1 } = parseIceUrl(front + text) ?? {};
        expect(host).toMatch(/^[\w.:-]+$/);
        expect(port >= 1 && port <= 65_535).toBe(true);
      }),
    );
  });
});

describe('webrtc.stunServer', () => {
  it('takes a STUN server only', () => {
    const load = (stunServer: string) =>
      loadConfig({ file: { name: 'x', text: JSON.stringify({ webrtc: { stunServer } }) } });
    expect(load('stun:stun.example.org:3478').webrtc.stunServer).toBe('stun:stun.example.org:3478');
    expect(() => load('turn:stun.example.org:3478')).toThrow(ConfigError);
  });
});
