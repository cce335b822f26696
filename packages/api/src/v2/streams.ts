import { parseStreamPath, type Stream } from '@sluice/core';
import { z } from 'zod';
import { notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { iso, streamPath, time } from './schemas.js';

const streamSchema = z.object({
  path: streamPath,
  state: z.enum(['live', 'waiting', 'ended']),
  since: time,
  viewers: z.number().int(),
  received: z.object({ bytes: z.number().int(), frames: z.number().int() }),
  tracks: z.array(z.record(z.string(), z.unknown())),
  bFrames: z
    .boolean()
    .describe('Pictures come in another order than they are shown in: WebRTC leaves out what it can, or stutters.'),
});

function streamOf(stream: Stream): z.input<typeof streamSchema> {
  return {
    path: stream.path,
    state: stream.state,
    since: iso(stream.startedAt),
    viewers: stream.viewers,
    received: { bytes: stream.received.bytes, frames: stream.received.frames },
    tracks: stream.description.tracks.map(({ description: _bytes, ...told }) => told),
    bFrames: stream.hasBFrames,
  };
}

const params = z.object({ path: streamPath }).strict();

export function streamRoutes({ router, registry, audit }: Control): Route[] {
  const find = (path: string): Stream => {
    const stream = router.find(parseStreamPath(path));
    if (stream === undefined) throw notFound(`stream ${path}`);
    return stream;
  };
  return [
    route({
      method: 'get',
      path: '/streams',
      tag: 'Streams',
      summary: 'All streams that are live or wait for their encoder',
      needs: 'open-read',
      answer: z.object({ streams: z.array(streamSchema) }),
      handle: () => ({ streams: router.streams().map(streamOf) }),
    }),
    route({
      method: 'get',
      path: '/streams/{path}',
      tag: 'Streams',
      summary: 'One stream',
      needs: 'open-read',
      params,
      answer: streamSchema,
      handle: ({ params: { path } }) => streamOf(find(path)),
    }),
    route({
      method: 'delete',
      path: '/streams/{path}',
      tag: 'Streams',
      summary: 'Cut off the encoder of a stream; it may come back',
      needs: 'sessions',
      params,
      handle: ({ params, principal, ip }) => {
        const { path } = find(params.path);
        registry.cutWhere(({ session }) =>
          session.action === 'publish' && session.path === path ? `cut off by ${principal.name}` : undefined,
        );
        audit.record({ actor: principal.name, ip, action: 'stream.cut', target: path, result: 'ok' });
        return undefined;
      },
    }),
  ];
}
