import { describe, expect, it } from 'vitest';
import { rtmpServer } from './rtmp-address.js';

describe('rtmpServer', () => {
  it.each([
    ['example.org', 1935, 'rtmp://example.org/live'],
    ['example.org', undefined, 'rtmp://example.org/live'],
    ['example.org', 0, 'rtmp://example.org/live'],
    ['[2001:db8::1]', 2935, 'rtmp://[2001:db8::1]:2935/live'],
  ])('%s, port %s → %s', (host, port, address) => {
    expect(rtmpServer(host, port)).toBe(address);
  });
});
