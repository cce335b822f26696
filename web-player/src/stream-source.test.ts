import { describe, expect, it } from 'vitest';
import { streamSourceOf, withoutQuery, withToken } from './stream-source.js';

const BASE = 'https://site.example/page/';

describe('streamSourceOf', () => {
  it.each([
    ['http://host:8080/live/show', 'http://host:8080', 'live/show', ''],
    ['/live/show?token=a%26b', 'https://site.example', 'live/show', 'token=a%26b'],
    ['https://host/player/a/b/c-1_2.x/', 'https://host', 'a/b/c-1_2.x', ''],
    ['https://host/live/show.m3u8?key=k', 'https://host', 'live/show', 'key=k'],
    ['wss://host/live/show.flv', 'https://host', 'live/show', ''],
    ['https://host/whep/live/show#x', 'https://host', 'live/show', ''],
  ])('%s', (src, server, path, query) => {
    expect(streamSourceOf(src, BASE)).toEqual({ server, path, query });
  });

  it.each(['', 'live', 'https://host/live', 'https://', 'javascript:/live/show', '/live/%3Cimg%3E', '/live/.hidden'])(
    'finds no stream in %j',
    (src) => {
      expect(streamSourceOf(src, 'https://site.example/')).toBeUndefined();
    },
  );
});

describe('credentials', () => {
  it('are cut from addresses', () => {
    expect(withoutQuery('http://h/live/show?token=secret#x')).toBe('http://h/live/show');
    expect(withoutQuery('/live/show#?token=secret')).toBe('/live/show');
  });

  it('take the place of an older one', () => {
    expect(withToken('a=1&token=old', 'n&w')).toBe('a=1&token=n%26w');
    expect(withToken('a=1%20', undefined)).toBe('a=1%20');
  });
});
