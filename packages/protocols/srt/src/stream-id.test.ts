import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readStreamId } from './stream-id.js';

describe('readStreamId', () => {
  it.each([
    ['#!::r=live/show,m=publish', 'publish', 'live/show', {}],
    ['#!::r=live/show', 'play', 'live/show', {}],
    ['#!::m=request,r=/live/show,h=example.org,token=abc', 'play', 'live/show', { token: 'abc' }],
    ['#!::r=live/show,m=publish,key=a=b', 'publish', 'live/show', { key: 'a=b' }],
    ['live/show', 'play', 'live/show', {}],
    ['live/show?token=abc', 'play', 'live/show', { token: 'abc' }],
    ['publish:live/show', 'publish', 'live/show', {}],
    ['publish:live/show?key=abc', 'publish', 'live/show', { key: 'abc' }],
    ['read:live/show', 'play', 'live/show', {}],
  ])('%s', (text, action, path, query) => {
    const read = readStreamId(text);
    expect(read).toMatchObject({ action, path });
    expect(Object.fromEntries(read?.query ?? [])).toEqual(query);
  });

  it('takes a user and a password', () => {
    expect(readStreamId('publish:live/show:anna:secret')).toMatchObject({ user: 'anna', password: 'secret' });
    expect(readStreamId('#!::r=live/show,u=anna')).toMatchObject({ user: 'anna' });
  });

  it.each(['', '#!::', '#!::m=publish', '#!::r=live/show,m=bidirectional', 'publish:', '?a=b', '/'])(
    'makes nothing of %j',
    (text) => {
      expect(readStreamId(text)).toBeUndefined();
    },
  );

  it('bears anything', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readStreamId(text)));
  });
});
