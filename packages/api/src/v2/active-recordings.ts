import { type ActiveRecording, parseStreamPath, RECORDING_CONTAINERS } from '@sluice/core';
import { z } from 'zod';
import { notFound } from '../http/api-error.js';
import { type Asked, type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { id, iso, streamPath, time } from './schemas.js';

const activeSchema = z.object({
  id: z.string(),
  path: streamPath,
  container: z.enum(RECORDING_CONTAINERS),
  startedBy: z.enum(['configuration', 'api']),
  startedAt: time,
  state: z
    .enum(['recording', 'waiting', 'paused'])
    .describe('`waiting`: for the encoder, or for its first keyframe; `paused`: for the disk.'),
  paused: z
    .object({ trouble: z.enum(['disk-full', 'disk-slow', 'disk-failed']), detail: z.string(), since: time })
    .nullable(),
  reason: z.string().nullable().describe('What it can only be made without.'),
  file: z.string().nullable().describe('That grows, in `recording.dir`.'),
  files: z.number().int().describe('Begun so far.'),
  bytes: z.number().int().describe('Written so far.'),
});

export function activeOf({ startedAt, state, reason, file, ...rest }: ActiveRecording): z.input<typeof activeSchema> {
  const { kind } = state;
  const paused = kind === 'paused' ? { trouble: state.trouble, detail: state.detail, since: iso(state.since) } : null;
  return { ...rest, startedAt: iso(startedAt), state: kind, paused, reason: reason ?? null, file: file ?? null };
}

/** Recordings under way, and how they are begun and ended by hand. */
export function activeRecordingRoutes({ recordings: { control }, audit }: Control): Route[] {
  const told = (
    { principal, ip }: Pick<Asked<never, never, never>, 'principal' | 'ip'>,
    action: string,
    target: string,
  ): void => audit.record({ actor: principal.name, ip, action, target, result: 'ok' });
  return [
    route({
      method: 'get',
      path: '/recordings/active',
      tag: 'Recordings',
      summary: 'Recordings under way',
      needs: 'open-read',
      answer: z.object({ recordings: z.array(activeSchema) }),
      handle: () => ({ recordings: control.active.map(activeOf) }),
    }),
    route({
      method: 'post',
      path: '/recordings/start',
      tag: 'Recordings',
      summary: 'Record a live stream, until it ends or is told to stop',
      needs: 'sessions',
      body: z.strictObject({
        path: streamPath,
        container: z.enum(RECORDING_CONTAINERS).optional().describe("By default as the path's settings say."),
      }),
      status: 201,
      answer: activeSchema,
      handle: ({ body: { path, container }, ...asked }) => {
        const active = control.start(parseStreamPath(path), { container });
        told(asked, 'recording.start', active.path);
        return activeOf(active);
      },
    }),
    route({
      method: 'post',
      path: '/recordings/active/{id}/stop',
      tag: 'Recordings',
      summary: 'End a recording; its file is finished soon after',
      needs: 'sessions',
      params: id,
      handle: ({ params, ...asked }) => {
        if (!control.stop(params.id)) throw notFound(`recording ${params.id} under way`);
        told(asked, 'recording.stop', params.id);
        return undefined;
      },
    }),
    route({
      method: 'post',
      path: '/recordings/active/{id}/split',
      tag: 'Recordings',
      summary: 'Begin a new file at the next keyframe',
      needs: 'sessions',
      params: id,
      handle: ({ params, ...asked }) => {
        if (!control.split(params.id)) throw notFound(`recording ${params.id} under way`);
        told(asked, 'recording.split', params.id);
        return undefined;
      },
    }),
  ];
}
