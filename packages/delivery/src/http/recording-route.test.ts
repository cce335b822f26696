import { describe, expect, it } from 'vitest';
import { recordingRouteOf } from './recording-route.js';

describe('routes of recordings', () => {
  it.each([
    ['/list', { kind: 'list' }],
    ['/get', { kind: 'clip' }],
    ['/live/show/recordings.json', { kind: 'timeline', path: 'live/show' }],
    ['/a/b/c/recordings.m3u8', { kind: 'playlist', path: 'a/b/c' }],
    ['/live/show/recordings/a-1.mp4', { kind: 'file', path: 'live/show', id: 'a-1', extension: 'mp4' }],
    ['/live/show/recordings/a_1.ts', { kind: 'file', path: 'live/show', id: 'a_1', extension: 'ts' }],
    ['/live/show/recordings/a.init.mp4', { kind: 'segment', path: 'live/show', name: 'a.init.mp4' }],
    ['/live/show/recordings/a.0.150.n40.m4s', { kind: 'segment', path: 'live/show', name: 'a.0.150.n40.m4s' }],
    ['/live/show/recordings/a.jpg', { kind: 'picture', path: 'live/show', id: 'a' }],
    ['/live/show/recordings/a.storyboard.vtt', { kind: 'storyboard', path: 'live/show', id: 'a', form: 'vtt' }],
    ['/live/show/recordings/..', { kind: 'nothing' }],
    ['/live/show/recordings/..%2fa.mp4', { kind: 'nothing' }],
    ['/live/show/recordings/.mp4', { kind: 'nothing' }],
    // These are streams.
    ['/live/recordings.m3u8', undefined],
    ['/live/show.m3u8', undefined],
    ['/live/show/recordings.flv', undefined],
    ['/live/show/recordings/a/b.mp4', undefined],
  ])('%s', (pathname, route) => {
    expect(recordingRouteOf(pathname)).toEqual(route);
  });
});
