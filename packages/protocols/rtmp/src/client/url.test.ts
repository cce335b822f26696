import { expect, test } from 'vitest';
import { parseRtmpUrl } from './url.js';

test.each([
  ['rtmp://host/live/show', 'host', 1935, false, 'live', 'show', 'rtmp://host/live'],
  ['rtmps://host/live/show', 'host', 443, true, 'live', 'show', 'rtmps://host/live'],
  ['rtmp://10.0.0.1:2000/a/b/show', '10.0.0.1', 2000, false, 'a/b', 'show', 'rtmp://10.0.0.1:2000/a/b'],
  ['rtmp://[::1]:2000/live/show', '::1', 2000, false, 'live', 'show', 'rtmp://[::1]:2000/live'],
  ['rtmp://host/live/show?key=a/b&c=d', 'host', 1935, false, 'live', 'show?key=a/b&c=d', 'rtmp://host/live'],
  ['rtmp://host/live/show?key=a#b', 'host', 1935, false, 'live', 'show?key=a#b', 'rtmp://host/live'],
])('%s', (url, host, port, encrypted, app, stream, tcUrl) => {
  expect(parseRtmpUrl(url)).toEqual({ host, port, encrypted, app, stream, tcUrl });
});

test.each([
  '',
  'live/show',
  'http://host/live/show',
  'rtmp://host',
  'rtmp://host/live',
  'rtmp://host/live/',
  'rtmp://host//s',
])('refuses %j', (url) => {
  expect(() => parseRtmpUrl(url)).toThrow(expect.objectContaining({ code: 'malformed' }));
});

test('a refusal does not repeat the key', () => {
  expect(() => parseRtmpUrl('rtmp://host/live?key=secret')).toThrow(/^(?!.*secret)/);
});
