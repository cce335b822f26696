import { LiveConfig, resolveConfig } from '@sluice/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PastStreams } from './past-streams.js';
import { placeOfRequest } from './request-place.js';

const pastOf = (text: string) => new PastStreams(new LiveConfig(resolveConfig({ file: { name: 'test.yml', text } })));
const past = pastOf('paths: { live/long: { hls: { windowSeconds: 3600 } } }');

describe('placeOfRequest', () => {
  it.each([
    ['GET /live/show.flv HTTP/1.1\r', 'any-worker'],
    ['GET /live/show.flv?key=a HTTP/1.0', 'any-worker'],
    ['GET /live/show.m3u8 HTTP/1.1\r', 'worker-of-address'],
    ['HEAD /live/show/hls/7.m4s?session=x HTTP/1.1\r', 'worker-of-address'],
    ['OPTIONS /live/show.mpd HTTP/1.1\r', 'worker-of-address'],
    ['GET /live/show/dash/video.mp4 HTTP/1.1\r', 'worker-of-address'],
    ['GET /live/long.m3u8 HTTP/1.1\r', 'main'],
    ['GET /live/long/hls/7.m4s HTTP/1.1\r', 'main'],
    ['GET /live/long.flv HTTP/1.1\r', 'any-worker'],
    ['POST /whip/live/show HTTP/1.1\r', 'main'],
    ['POST /whep/live/show HTTP/1.1\r', 'worker-of-address'],
    ['DELETE /whep/live/show/0123456789abcdef0123456789abcdef HTTP/1.1\r', 'worker-of-address'],
    ['POST /rtc/v1/play/ HTTP/1.1\r', 'worker-of-address'],
    ['GET /live/show/recordings.m3u8 HTTP/1.1\r', 'main'],
    ['GET /status/streams HTTP/1.1\r', 'main'],
    ['GET / HTTP/1.1\r', 'main'],
    ['GET http://host/live/show.flv HTTP/1.1\r', 'main'],
    ['\x16\x03\x01', 'main'],
    ['', 'main'],
  ])('%j → %s', (line, place) => {
    expect(placeOfRequest(line, past)).toBe(place);
  });

  it.each(['secrets: [secret-of-the-origin]', 'allow: [192.0.2.0/24]'])(
    'has all segments made in one process where a CDN asks from many addresses (%s)',
    (lock) => {
      const behindCdn = pastOf(`http: { origin: { ${lock} } }`);
      const targets = ['show.flv', 'show.m3u8', 'show/hls/a-1.m4s', 'show.mpd'];
      const places = targets.map((target) => placeOfRequest(`GET /live/${target} HTTP/1.1`, behindCdn));
      expect(places).toEqual(['any-worker', 'main', 'main', 'main']);
    },
  );

  it('bears anything', () => {
    fc.assert(fc.property(fc.string(), (line) => void placeOfRequest(line, past)));
    fc.assert(fc.property(fc.string(), (path) => void placeOfRequest(`GET /${path} HTTP/1.1\r`, past)));
  });
});
