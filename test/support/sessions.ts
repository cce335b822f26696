import type { Session, StreamPath } from '@sluice/core';
import { millis } from '@sluice/media';

/** A session for tests of what happens around sessions: an RTMP publisher, where nothing else is said. */
export function testSession(over: Partial<Omit<Session, 'path'>> & { readonly path?: string } = {}): Session {
  return {
    id: 'a1b2c3d4e5f60718',
    action: 'publish',
    protocol: 'rtmp',
    ip: '192.0.2.10',
    userAgent: 'FMLE/3.0',
    identity: { kind: 'anonymous' },
    client: { tcUrl: 'rtmp://video.example.org/live' },
    query: '',
    fingerprint: 'feedfacefeedface',
    openedAt: millis(1_700_000_000_000),
    ...over,
    path: (over.path ?? 'live/show') as StreamPath,
  };
}
