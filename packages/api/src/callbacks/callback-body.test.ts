import type { Clock, Config, RecordedFile, StreamPath } from '@sluice/core';
import { millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { testSession } from '../../../../test/support/sessions.js';
import { callbackBody } from './callback-body.js';
import type { CallbackNews } from './callback-news.js';
import { derivedStreamId } from './server-names.js';
import { saysYes } from './srs-answer.js';

const names = { serverId: 'vid-0xk989d', serviceId: '382k345a', streamId: () => 'vid-124q9y3' };
const clock: Clock = { monotonic: () => millis(0), wall: () => millis(Date.UTC(2026, 4, 1, 12)) };
const traffic = { received: 1000, sent: 20 };
const reason = 'viewer left';

const bodyOf = (news: CallbackNews, format: Config['callbacks']['format'] = 'srs') =>
  JSON.parse(callbackBody(news, format, names, clock)) as unknown;

/** What SRS's document calls B, of the session that tests have. */
const base = {
  server_id: 'vid-0xk989d',
  service_id: '382k345a',
  client_id: 'a1b2c3d4e5f60718',
  ip: '192.0.2.10',
  vhost: '__defaultVhost__',
  app: 'live',
};
const stream = {
  tcUrl: 'rtmp://video.example.org/live',
  stream: 'show',
  param: '?key=k&x=1',
  stream_url: '/live/show',
  stream_id: 'vid-124q9y3',
};

const recorded: RecordedFile = {
  ...{ id: 'f1', recording: 'r1', path: 'live/show' as StreamPath, container: 'mp4', file: 'live/show/1.mp4' },
  ...{ state: 'ready', startedAt: millis(1000), duration: 5000, bytes: 700, tracks: [], isLocal: true },
  gaps: [{ at: 0, missing: 500, reason: 'encoder-away' }],
};

describe('a body in the form of SRS', () => {
  const session = testSession({
    query: 'key=k&x=1',
    client: { tcUrl: 'rtmp://video.example.org/live', pageUrl: 'http://example.org/page' },
  });
  const { stream_url: _, stream_id: __, ...asked } = stream;
  const pageUrl = 'http://example.org/page';

  it.each<[CallbackNews, Record<string, unknown>]>([
    [
      { event: 'on_connect', session },
      { ...base, action: 'on_connect', ...asked, pageUrl },
    ],
    [
      { event: 'on_publish', session },
      { ...base, action: 'on_publish', ...stream },
    ],
    [
      { event: 'on_play', session },
      { ...base, action: 'on_play', ...stream, pageUrl },
    ],
    [
      { event: 'on_close', session, reason, traffic },
      { ...base, action: 'on_close', send_bytes: 20, recv_bytes: 1000 },
    ],
    [
      { event: 'on_unpublish', session, reason, traffic },
      { ...base, action: 'on_unpublish', ...stream },
    ],
    [
      { event: 'on_stop', session, reason, traffic },
      { ...base, action: 'on_stop', ...stream },
    ],
  ])('%j', (news, body) => {
    expect(bodyOf(news)).toEqual(body);
  });

  it('tells of an HLS segment', () => {
    const segment = {
      duration: 2.04,
      sequence: 17,
      url: '/live/show-17.ts',
      playlistUrl: '/live/show.m3u8',
      file: '',
      playlistFile: '',
      cwd: '/srv',
    };
    expect(bodyOf({ event: 'on_hls', session, segment })).toEqual({
      ...base,
      action: 'on_hls',
      ...stream,
      duration: 2.04,
      cwd: '/srv',
      file: '',
      url: '/live/show-17.ts',
      m3u8: '',
      m3u8_url: '/live/show.m3u8',
      seq_no: 17,
    });
  });

  it('tells of a recorded file, also where its publisher is not known any more', () => {
    const recording = { recorded, file: './data/recordings/live/show/1.mp4', cwd: '/srv' };
    const place = { cwd: '/srv', file: './data/recordings/live/show/1.mp4' };
    expect(bodyOf({ event: 'on_dvr', session, recording })).toEqual({
      ...{ ...base, action: 'on_dvr', ...stream, ...place },
    });
    expect(bodyOf({ event: 'on_dvr', session: undefined, recording })).toEqual({
      ...{ ...base, action: 'on_dvr', ...stream, ...place },
      ...{ client_id: '', ip: '', tcUrl: 'rtmp://__defaultVhost__/live', param: '' },
    });
  });

  it('has texts where a client said nothing, and the last name of a long path for the stream', () => {
    const viewer = testSession({ action: 'play', protocol: 'hls', path: 'a/b/c', client: {} });
    expect(bodyOf({ event: 'on_play', session: viewer })).toEqual({
      ...base,
      action: 'on_play',
      app: 'a/b',
      tcUrl: 'rtmp://__defaultVhost__/a/b',
      stream: 'c',
      param: '',
      pageUrl: '',
      stream_url: '/a/b/c',
      stream_id: 'vid-124q9y3',
    });
  });
});

describe('a body in our own form', () => {
  const session = testSession({ identity: { kind: 'jwt', viewer: 'anna', credential: 'c' }, query: 'token=t' });
  const about = {
    server: 'vid-0xk989d',
    at: '2026-05-01T12:00:00.000Z',
    session: {
      id: 'a1b2c3d4e5f60718',
      action: 'publish',
      protocol: 'rtmp',
      path: 'live/show',
      ip: '192.0.2.10',
      userAgent: 'FMLE/3.0',
      viewer: 'anna',
      credential: 'jwt',
    },
    query: 'token=t',
  };

  it('asks and tells', () => {
    expect(bodyOf({ event: 'on_publish', session }, 'sluice')).toEqual({ event: 'on_publish', ...about });
    expect(bodyOf({ event: 'on_unpublish', session, reason, traffic }, 'sluice')).toEqual({
      event: 'on_unpublish',
      ...about,
      reason,
      traffic,
    });
  });

  it('tells of a recorded file', () => {
    const news = { event: 'on_dvr', recording: { recorded, file: './1.mp4', cwd: '/srv' } } as const;
    const { startedAt: _, duration: __, ...rest } = recorded;
    const file = {
      ...{ ...rest, startedAt: '1970-01-01T00:00:01.000Z', endsAt: '1970-01-01T00:00:06.500Z', durationMs: 5000 },
      ...{ onDisk: './1.mp4', cwd: '/srv' },
    };
    expect(bodyOf({ ...news, session }, 'sluice')).toEqual({ event: 'on_dvr', ...about, file });
    expect(bodyOf({ ...news, session: undefined }, 'sluice')).toMatchObject({ session: null, query: '' });
  });
});

it.each([
  [200, '0', true],
  [201, '{"code": 0, "data": ""}', true],
  [200, '', false],
  [200, '1', false],
  [200, '"0"', false],
  [200, '{"code":"0"}', false],
  [200, '{"code":1}', false],
  [200, '{}', false],
  [200, '[0]', false],
  [200, 'null', false],
  [200, 'OK', false],
  [204, '', false],
  [403, '0', false],
  [500, '{"code":0}', false],
])('an answer of %i %j is a yes: %s', (status, body, yes) => {
  expect(saysYes({ status, body })).toBe(yes);
});

it('derives an id for a stream that stays, and differs from server run to server run', () => {
  const id = derivedStreamId('run-1', 'live/show' as StreamPath);
  expect(id).toMatch(/^vid-[0-9a-z]{7}$/);
  expect(derivedStreamId('run-1', 'live/show' as StreamPath)).toBe(id);
  expect(derivedStreamId('run-2', 'live/show' as StreamPath)).not.toBe(id);
  expect(derivedStreamId('run-1', 'live/other' as StreamPath)).not.toBe(id);
});
