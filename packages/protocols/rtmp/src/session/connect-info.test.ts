import { describe, expect, test } from 'vitest';
import { MAX_NAME_LENGTH, readConnectInfo, readStreamName } from './connect-info.js';

describe('readConnectInfo', () => {
  test.each([
    [{ app: 'live' }, 'live', ''],
    [{ app: 'live/' }, 'live', ''],
    [{ app: '/live/two/' }, 'live/two', ''],
    [{ app: 'live?key=a&b=c' }, 'live', 'key=a&b=c'],
    [{ app: 'live/?key=a' }, 'live', 'key=a'],
    [{ app: 'live', tcUrl: 'rtmp://host/live?key=a' }, 'live', 'key=a'],
    [{ app: 'live?key=a', tcUrl: 'rtmp://host/live?key=b' }, 'live', 'key=a'],
    [{ app: 'l%C3%AFve%2Ftwo' }, 'lïve/two', ''],
    [{ app: 'live%', tcUrl: 'rtmps://[::1]:1443/live' }, 'live%', ''],
    [{ app: '__proto__' }, '__proto__', ''],
  ])('%j', (object, app, query) => {
    expect(readConnectInfo(object)).toMatchObject({ app, query });
  });

  test.each([
    [{}, 'names no app'],
    [{ app: 7 }, 'names no app'],
    [{ app: '' }, 'empty'],
    [{ app: '?key=a' }, 'empty'],
    [{ app: 'a'.repeat(MAX_NAME_LENGTH + 1) }, 'characters'],
    [{ app: 'live', tcUrl: 'http://host/live' }, 'no RTMP URL'],
    [{ app: 'live', tcUrl: 'rtmp://' }, 'no RTMP URL'],
    [{ app: 'live', tcUrl: '%' }, 'no RTMP URL'],
    [{ app: 'live', tcUrl: null }, 'no text'],
    [{ app: 'live', tcUrl: `rtmp://${'a'.repeat(MAX_NAME_LENGTH)}` }, 'characters'],
  ])('refuses %.60j', (object, reason) => {
    expect(readConnectInfo(object)).toEqual({ refused: expect.stringContaining(reason) });
  });

  test('cuts what is for information only', () => {
    const info = readConnectInfo({ app: 'live', flashVer: 'x'.repeat(5000), pageUrl: 3 });
    expect(info).toMatchObject({ flashVer: 'x'.repeat(1024) });
    expect(info).not.toHaveProperty('pageUrl');
  });

  test.each([
    [{}, false, false],
    [{ fourCcList: ['hvc1'] }, true, false],
    [{ capsEx: 1 }, true, true],
    [{ capsEx: 14, videoFourCcInfoMap: {} }, true, false],
  ])('Enhanced RTMP: %j', (object, enhanced, reconnects) => {
    expect(readConnectInfo({ app: 'live', ...object })).toMatchObject({ enhanced, reconnects });
  });
});

describe('readStreamName', () => {
  test.each([
    ['show', '', 'show', ''],
    ['show?key=a', '', 'show', 'key=a'],
    ['show?key=a', 'token=b', 'show', 'token=b&key=a'],
    ['/show/', 'token=b', 'show', 'token=b'],
    ['a/b', '', 'a/b', ''],
    ['mp4:show', '', 'mp4:show', ''],
    ['sh%6Fw', '', 'show', ''],
    ['', 'token=b/show', 'show', 'token=b'],
    ['', 'sign=a/b/show', 'show', 'sign=a/b'],
  ])('%j with the query %j of the app', (name, appQuery, stream, query) => {
    expect(readStreamName(name, appQuery)).toEqual({ stream, query });
  });

  test.each([
    [undefined, ''],
    [false, ''],
    ['', ''],
    ['?key=a', ''],
    ['', 'token=b/'],
    ['a'.repeat(MAX_NAME_LENGTH + 1), ''],
  ])('refuses %.40j', (name, appQuery) => {
    expect(readStreamName(name, appQuery)).toHaveProperty('refused');
  });
});
