import { expect, test } from 'vitest';
import { RtmpError } from '../errors.js';
import { followingRedirects } from './redirects.js';

const sendsTo = (redirect: string) => new RtmpError('refused', 'elsewhere', { redirect });

test('goes where it is sent, and says what the last one said', async () => {
  const asked: string[] = [];
  const act = async (url: string) => {
    asked.push(url);
    if (url === 'rtmp://a/live/x') throw sendsTo('rtmp://b/live/x?key=1');
    if (url === 'rtmp://b/live/x?key=1') throw sendsTo('rtmps://c/live/x');
    return url;
  };
  expect(await followingRedirects('rtmp://a/live/x', act)).toBe('rtmps://c/live/x');
  expect(asked).toEqual(['rtmp://a/live/x', 'rtmp://b/live/x?key=1', 'rtmps://c/live/x']);
  const plain = new RtmpError('refused', 'no');
  await expect(followingRedirects('rtmp://a/live/x', () => Promise.reject(plain))).rejects.toBe(plain);
});

test.each([
  ['http://b/live/x', /does not go|no RTMP URL/],
  ['nonsense', /does not go/],
  ['rtmp://b/live/x', /does not go/],
])('does not go to %s from TLS', async (to, message) => {
  const sent = followingRedirects('rtmps://a/live/x', () => Promise.reject(sendsTo(to)));
  await expect(sent).rejects.toThrow(message);
});

test('does not go round in circles', async () => {
  let asked = 0;
  const act = () => {
    asked += 1;
    return Promise.reject(sendsTo('rtmp://a/live/x'));
  };
  await expect(followingRedirects('rtmp://a/live/x', act)).rejects.toThrow(/more than 3 times/);
  expect(asked).toBe(4);
});
