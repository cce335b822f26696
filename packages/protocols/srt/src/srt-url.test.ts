import { describe, expect, it } from 'vitest';
import { readSrtUrl } from './srt-url.js';

describe('readSrtUrl', () => {
  it('reads what libsrt reads', () => {
    expect(readSrtUrl('srt://example.org:9000')).toEqual({
      mode: 'caller',
      name: 'srt://example.org:9000',
      call: { host: 'example.org', port: 9000, options: {} },
    });
    const url =
      'srt://[::1]:9000?mode=rendezvous&port=9001&streamid=%23!::r=live/show,m=publish&passphrase=a good one&pbkeylen=32' +
      '&latency=300&peerlatency=500&maxbw=1000000&packetfilter=fec,cols:10,rows:5&conntimeo=5000&transtype=live';
    expect(readSrtUrl(url)).toEqual({
      mode: 'rendezvous',
      name: 'srt://[::1]:9000',
      localPort: 9001,
      call: {
        host: '::1',
        port: 9000,
        streamId: '#!::r=live/show,m=publish',
        passphrase: 'a good one',
        keyLength: 256,
        timeoutMs: 5000,
        options: {
          receiveLatency: 300,
          sendLatency: 500,
          maxBandwidth: 1_000_000,
          packetFilter: 'fec,cols:10,rows:5',
        },
      },
    });
  });

  it.each([
    ['http://example.org', 'srt://host:port'],
    ['srt://example.org', 'no port'],
    ['srt://example.org:9000?mode=listener', 'mode'],
    ['srt://example.org:9000?latencyms=3', '"latencyms"'],
    ['srt://example.org:9000?latency=long', 'latency'],
    ['srt://example.org:9000?pbkeylen=17', 'pbkeylen'],
    ['srt://example.org:9000?transtype=file', 'transtype'],
  ])('says what is wrong about %s', (url, what) => {
    expect(() => readSrtUrl(`${url}${url.includes('?') ? '&' : '?'}passphrase=hush`)).toThrow(what);
    expect(() => readSrtUrl(`${url}${url.includes('?') ? '&' : '?'}passphrase=hush`)).not.toThrow('hush');
  });
});
