import { parseStreamPath } from '@sluice/core';
import { z } from 'zod';
import { notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { streamPath } from './schemas.js';
import { type StreamView, streamSchema, streamViews } from './stream-view.js';

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

export function streamRoutes(control: Control): Route[] {
  const { registry, cluster, audit } = control;
  const find = (text: string): StreamView => {
    const path = parseStreamPath(text);
    const stream = streamViews(control).find((known) => known.path === path);
    if (stream === undefined) throw notFound(`stream ${text}`);
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
      handle: () => ({ streams: streamViews(control) }),
    }),
    route({
      method: 'get',
      path: '/streams/{path}',
      tag: 'Streams',
      summary: 'One stream',
      needs: 'open-read',
      params,
      answer: streamSchema,
      handle: ({ params: { path } }) => find(path),
    }),
    route({
      method: 'get',
      path: '/stream-history/{path}',
      tag: 'Streams',
      summary: 'What was measured of a stream on this server in the last ten minutes, by the second',
      needs: 'open-read',
      params,
      answer: historySchema,
      handle: ({ params: { path } }) => {
        const stream = control.router.find(parseStreamPath(path));
        if (stream === undefined) throw notFound(`stream ${path} on this server`);
        return stream.figureHistory;
      },
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
        const reason = `cut off by ${principal.name}`;
        registry.cutWhere(({ session }) =>
          session.action === 'publish' && session.path === path ? reason : undefined,
        );
        cluster.cutPublishers(path, reason);
        audit.record({ actor: principal.name, ip, action: 'stream.cut', target: path, result: 'ok' });
        return undefined;
      },
    }),
  ];
}
