import { parseStreamPath, type Stream } from '@sluice/core';
import { z } from 'zod';
import { notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { streamPath } from './schemas.js';
import { streamSchema, streamView, viewersByProtocol } from './stream-view.js';

const historySchema = z.object({
  at: z
    .array(z.number())
    .readonly()
    .describe('Milliseconds since 1970, oldest first; the other lists are of the same seconds.'),
  bitrate: z.array(z.number()).readonly().describe('Bit/s.'),
  fps: z.array(z.number()).readonly(),
  viewers: z.array(z.number()).readonly(),
  keyframeInterval: z.array(z.number().nullable()).readonly().describe('Seconds.'),
  avDrift: z.array(z.number().nullable()).readonly().describe('Milliseconds.'),
});

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
      handle: () => {
        const watching = viewersByProtocol(registry);
        return { streams: router.streams().map((stream) => streamView(stream, watching.get(stream.path))) };
      },
    }),
    route({
      method: 'get',
      path: '/streams/{path}',
      tag: 'Streams',
      summary: 'One stream',
      needs: 'open-read',
      params,
      answer: streamSchema,
      handle: ({ params }) => {
        const stream = find(params.path);
        return streamView(stream, viewersByProtocol(registry).get(stream.path));
      },
    }),
    route({
      method: 'get',
      path: '/stream-history/{path}',
      tag: 'Streams',
      summary: 'What was measured of a stream in the last ten minutes, by the second',
      needs: 'open-read',
      params,
      answer: historySchema,
      handle: ({ params: { path } }) => find(path).figureHistory,
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
