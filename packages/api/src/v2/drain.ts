import type { DrainStatus } from '@sluice/core';
import { z } from 'zod';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { isoOrNull, time } from './schemas.js';

const drainSchema = z.object({
  state: z
    .enum(['serving', 'draining', 'drained'])
    .describe('draining: nobody new is let in, who is here is handed on; drained: all are gone, the server ends.'),
  since: time.nullable(),
  by: z.string().nullable(),
  publishersUntil: time.nullable().describe('When publishers are cut that are still here.'),
  publishers: z.number().int(),
  viewers: z.number().int().describe('With connections; those of HLS and DASH are sent on with their next playlist.'),
});

function drainOf({ since, by, publishersUntil, ...rest }: DrainStatus): z.input<typeof drainSchema> {
  return { ...rest, since: isoOrNull(since), by: by ?? null, publishersUntil: isoOrNull(publishersUntil) };
}

const within = (most: number) => z.number().min(0).max(most).optional();

export function drainRoutes({ drain, audit }: Control): Route[] {
  return [
    route({
      method: 'get',
      path: '/drain',
      tag: 'Server',
      summary: 'Whether the server serves, or is being taken out of service',
      needs: 'open-read',
      answer: drainSchema,
      handle: () => drainOf(drain.status),
    }),
    route({
      method: 'post',
      path: '/drain',
      tag: 'Server',
      summary: 'Take the server out of service: hand everybody on, finish recordings, and end',
      needs: 'admin',
      limited: true,
      body: z
        .object({
          viewerSeconds: within(3600).describe('Over how long viewers are sent away; else as configured.'),
          publisherSeconds: within(86_400).describe('How long publishers may take to leave; else as configured.'),
        })
        .strict(),
      status: 202,
      answer: drainSchema,
      handle: ({ body: { viewerSeconds, publisherSeconds }, principal, ip }) => {
        drain.begin(principal.name, {
          ...(viewerSeconds === undefined ? {} : { viewerSeconds }),
          ...(publisherSeconds === undefined ? {} : { publisherSeconds }),
        });
        audit.record({ actor: principal.name, ip, action: 'server.drain', target: 'server', result: 'ok' });
        return drainOf(drain.status);
      },
    }),
  ];
}
