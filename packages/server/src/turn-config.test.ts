import { loadConfig } from '@sluice/core';
import { expect, it } from 'vitest';
import { turnServerConfig } from './turn-config.js';

const make = (iceServers: string[], announced: string[], own: string[]) => {
  const webrtc = { turn: { secret: 'x'.repeat(16), realm: 'example.org' }, iceServers };
  const config = loadConfig({ file: { name: 'x', text: JSON.stringify({ webrtc }) } });
  return turnServerConfig(config, { announced, own }).text;
};

it('says where NAT leads to, and only where there is one', () => {
  expect(make([], ['203.0.114.5'], ['10.0.0.2', 'fd00::2'])).toMatch(/^external-ip=203\.0\.114\.5\/10\.0\.0\.2$/m);
  expect(make([], ['10.0.0.2'], ['10.0.0.2'])).not.toMatch(/^external-ip/m);
  expect(make([], ['203.0.114.5'], ['203.0.114.5'])).not.toMatch(/^external-ip/m);
});

it('takes the ports of its own URLs, each once, and none of another STUN server', () => {
  const text = make(
    [
      'stun:stun.elsewhere.example:19302',
      'stun:turn.example.org:3479',
      'turn:turn.example.org:80?transport=tcp',
      'turn:turn.example.org:443?transport=tcp',
      'turn:turn.example.org',
      'turns:turn.example.org:443',
      'turns:turn.example.org',
    ],
    ['127.0.0.1', 'fd00::2'],
    [],
  );
  const ports = [...text.matchAll(/^[a-z-]+=(?:0\.0\.0\.0:)?(\d+)$/gm)].map(([line]) => line);
  expect(ports).toEqual([
    'listening-port=3478',
    'tls-listening-port=443',
    'aux-server=0.0.0.0:5349',
    'aux-server=0.0.0.0:3479',
    'aux-server=0.0.0.0:80',
    'stale-nonce=600',
    'min-port=49152',
    'max-port=65535',
  ]);
  expect(text.match(/^allowed-peer-ip=.*$/gm)).toEqual(['allowed-peer-ip=fd00::2']);
});
