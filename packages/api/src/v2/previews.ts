import { parseStreamPath, type Stream } from '@sluice/core';
import { z } from 'zod';
import { notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { iso, streamPath, time } from './schemas.js';

/** Enough to begin with, and to begin again after a break; what has begun goes on. */
const VALID_SECONDS = 600;

const params = z.object({ path: streamPath }).strict();

/** How a stream looks: for who may read, whoever else may watch it. */
export function previewRoutes({ router, tokens, snapshots, audit }: Control): Route[] {
  const find = (path: string): Stream => {
    const stream = router.find(parseStreamPath(path));
    if (stream === undefined) throw notFound(`stream ${path}`);
    return stream;
  };
  return [
    route({
      method: 'get',
      path: '/posters/{path}',
      tag: 'Streams',
      summary: 'A picture of a stream, as JPEG; made anew every few seconds at most',
      needs: 'read',
      params,
      handle: async ({ params, response }) => {
        const { jpeg, at } = await snapshots.of(find(params.path));
        response.setHeader('Last-Modified', new Date(at).toUTCString());
        response.type('image/jpeg').send(jpeg);
        return undefined;
      },
    }),
    route({
      method: 'post',
      path: '/previews/{path}',
      tag: 'Streams',
      summary: 'A token with which the console watches a stream',
      needs: 'read',
      params,
      answer: z.object({
        parameter: z.string().describe('The name under which it goes into a URL.'),
        value: z.string(),
        expiresAt: time,
      }),
      handle: ({ params, principal, ip }) => {
        const { path } = find(params.path);
        const grant = {
          action: 'play',
          path,
          viewer: `console:${principal.name}`,
          validSeconds: VALID_SECONDS,
        } as const;
        const { parameter, value, expiresAt } = tokens.sign(grant);
        audit.record({ actor: principal.name, ip, action: 'stream.watch', target: path, result: 'ok' });
        return { parameter, value, expiresAt: iso(expiresAt) };
      },
    }),
  ];
}
