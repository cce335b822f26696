import { describe, expect, it } from 'vitest';
import { ForwardedAddress } from './forwarded.js';

describe('ForwardedAddress', () => {
  const behind = new ForwardedAddress(() => ['10.0.0.0/8', 'fd00::/8']);
  it.each([
    ['203.0.113.9', '198.51.100.1', '203.0.113.9', 'a peer that is no proxy is not believed'],
    ['10.0.0.1', undefined, '10.0.0.1', 'a proxy that says nothing'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1', 'one proxy'],
    ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1', 'a dual-stack socket'],
    ['10.0.0.1', '192.0.2.66, 198.51.100.1', '198.51.100.1', 'what the client itself put in front is not believed'],
    ['10.0.0.1', '198.51.100.1, 10.0.0.2', '198.51.100.1', 'two proxies'],
    ['fd00::1', '2001:db8::7', '2001:db8::7', 'IPv6'],
    ['10.0.0.1', 'unknown', '10.0.0.1', 'what is no address'],
  ])('%s with %s: %s (%s)', (peer, header, expected, _why) => {
    expect(behind.of(peer, header)).toBe(expected);
  });

  it('follows a change of the list', () => {
    let list: string[] = [];
    const changing = new ForwardedAddress(() => list);
    expect(changing.of('10.0.0.1', '198.51.100.1')).toBe('10.0.0.1');
    list = ['10.0.0.1'];
    expect(changing.of('10.0.0.1', '198.51.100.1')).toBe('198.51.100.1');
  });
});
