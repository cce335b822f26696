import { liveEndOf, parseStreamPath, RECORDING_CONTAINERS, type RecordedFile } from '@sluice/core';
import { z } from 'zod';
import { ApiError, notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { id, iso, limit, streamPath, time, timeInQuery } from './schemas.js';

const STATES = ['writing', 'ready', 'damaged', 'missing'] as const;
const milliseconds = z.number().describe('Milliseconds.');

const fileSchema = z.object({
  id: z.string(),
  recording: z.string().describe('What files that follow each other without a seam have in common.'),
  path: streamPath,
  container: z.enum(RECORDING_CONTAINERS),
  file: z.string().describe('Its place in `recording.dir`.'),
  state: z.enum(STATES).describe('`damaged`, `missing`: as `reason` says.'),
  reason: z.string().nullable(),
  startedAt: time,
  endsAt: time.describe('When its last frame was live. ISO 8601.'),
  durationMs: milliseconds.describe('Of the media in it; its live time is longer by its gaps.'),
  bytes: z.number().int(),
  tracks: z.array(
    z.object({
      kind: z.enum(['video', 'audio']),
      codec: z.string(),
      codecString: z.string().describe('RFC 6381.'),
      width: z.number().int().optional(),
      height: z.number().int().optional(),
    }),
  ),
  gaps: z.array(
    z.object({
      at: milliseconds.describe('Milliseconds of media from the beginning of the file.'),
      missing: milliseconds.describe('Milliseconds of live time that are not in the file.'),
      reason: z.enum(['encoder-away', 'paused']),
    }),
  ),
  sha256: z.string().nullable(),
  isLocal: z.boolean().describe('Whether this machine has it.'),
  isKept: z.boolean().describe('Whether no rule removes it.'),
  remote: z.object({ bucket: z.string(), key: z.string(), uploadedAt: time }).nullable(),
});

function fileOf(file: RecordedFile): z.input<typeof fileSchema> {
  const { startedAt, duration, tracks, gaps, reason, sha256, remote, isKept, ...rest } = file;
  return {
    ...rest,
    reason: reason ?? null,
    startedAt: iso(startedAt),
    endsAt: iso(liveEndOf(file)),
    durationMs: duration,
    tracks: [...tracks],
    gaps: [...gaps],
    sha256: sha256 ?? null,
    isKept: isKept ?? false,
    remote: remote === undefined ? null : { ...remote, uploadedAt: iso(remote.uploadedAt) },
  };
}

const pathSchema = z.object({
  path: streamPath,
  files: z.number().int(),
  bytes: z.number().int(),
  first: time,
  last: time,
});

/** Opaque to clients. */
const cursorOf = ({ startedAt, id: last }: RecordedFile): string =>
  Buffer.from(JSON.stringify([startedAt, last])).toString('base64url');

const placeSchema = z.tuple([z.number(), z.string()]);

function placeOf(cursor: string): { readonly startedAt: number; readonly id: string } {
  try {
    const [startedAt, last] = placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { startedAt, id: last };
  } catch {
    throw new ApiError(400, 'bad-request', 'the cursor is none that this server has given', 'cursor');
  }
}

/** Whoever looks through recordings takes their time. */
const ACCESS_SECONDS = 6 * 3600;

export function recordingRoutes({ recordings, tokens, audit }: Control): Route[] {
  const { index, removal } = recordings;
  return [
    route({
      method: 'get',
      path: '/recordings',
      tag: 'Recordings',
      summary: 'Recorded files, newest first',
      needs: 'open-read',
      query: z
        .object({
          path: streamPath.optional(),
          from: timeInQuery.optional().describe('Files of which something was live from then on. ISO 8601.'),
          to: timeInQuery.optional().describe('Files of which something was live before then. ISO 8601.'),
          state: z.enum(STATES).optional(),
          cursor: z.string().max(500).optional().describe('Of the page before.'),
          limit,
        })
        .strict(),
      answer: z.object({
        recordings: z.array(fileSchema),
        cursor: z.string().nullable().describe('For the next page; null where there is none.'),
      }),
      handle: async ({ query: { path, cursor, limit: most, ...rest } }) => {
        const after = cursor === undefined ? undefined : placeOf(cursor);
        const wanted = { ...rest, path: path === undefined ? undefined : parseStreamPath(path), after };
        // One more than is shown tells whether there is a next page.
        const found = await index.query({ ...wanted, order: 'newest', limit: most + 1 });
        const last = found.length > most ? found[most - 1] : undefined;
        return {
          recordings: found.slice(0, most).map(fileOf),
          cursor: last === undefined ? null : cursorOf(last),
        };
      },
    }),
    route({
      method: 'get',
      path: '/recordings/paths',
      tag: 'Recordings',
      summary: 'Streams of which something is recorded',
      needs: 'open-read',
      answer: z.object({ paths: z.array(pathSchema) }),
      handle: async () => ({
        paths: (await index.paths()).map(({ first, last, ...rest }) => ({
          ...rest,
          first: iso(first),
          last: iso(last),
        })),
      }),
    }),
    route({
      method: 'post',
      path: '/recordings/access/{path}',
      tag: 'Recordings',
      summary: 'A token with which the console plays and fetches what is recorded of a stream',
      needs: 'read',
      params: z.object({ path: streamPath }).strict(),
      answer: z.object({
        parameter: z.string().describe('The name under which it goes into a URL.'),
        value: z.string(),
        expiresAt: time,
      }),
      handle: ({ params, principal, ip }) => {
        const path = parseStreamPath(params.path);
        const viewer = `console:${principal.name}`;
        const grant = { action: 'play', path, viewer, validSeconds: ACCESS_SECONDS } as const;
        const { parameter, value, expiresAt } = tokens.sign(grant);
        audit.record({ actor: principal.name, ip, action: 'recording.watch', target: path, result: 'ok' });
        return { parameter, value, expiresAt: iso(expiresAt) };
      },
    }),
    route({
      method: 'get',
      path: '/recordings/files/{id}',
      tag: 'Recordings',
      summary: 'One recorded file',
      needs: 'open-read',
      params: id,
      answer: fileSchema,
      handle: async ({ params }) => {
        const file = await index.get(params.id);
        if (file === undefined) throw notFound(`recorded file ${params.id}`);
        return fileOf(file);
      },
    }),
    route({
      method: 'patch',
      path: '/recordings/files/{id}',
      tag: 'Recordings',
      summary: 'Keep a recorded file, whatever age and room say, or no longer',
      needs: 'sessions',
      params: id,
      body: z.strictObject({ isKept: z.boolean() }),
      answer: fileSchema,
      handle: async ({ params, body: { isKept }, principal, ip }) => {
        await index.keep(params.id, isKept);
        const file = await index.get(params.id);
        if (file === undefined) throw notFound(`recorded file ${params.id}`);
        const action = isKept ? 'recording.keep' : 'recording.unkeep';
        audit.record({ actor: principal.name, ip, action, target: params.id, result: 'ok' });
        return fileOf(file);
      },
    }),
    route({
      method: 'delete',
      path: '/recordings/files/{id}',
      tag: 'Recordings',
      summary: 'Remove a recorded file, with its copy in the object store',
      needs: 'sessions',
      params: id,
      handle: async ({ params, principal, ip }) => {
        const outcome = await removal.remove(params.id);
        if (outcome === 'unknown') throw notFound(`recorded file ${params.id}`);
        if (outcome === 'being-written') {
          throw new ApiError(409, 'busy', `recorded file ${params.id} is being written; stop its recording first`);
        }
        if (outcome === 'kept') {
          throw new ApiError(409, 'kept', `recorded file ${params.id} is kept; say first that it need not be`);
        }
        audit.record({ actor: principal.name, ip, action: 'recording.delete', target: params.id, result: 'ok' });
        if (outcome === 'remote-stays') {
          throw new ApiError(
            409,
            'remote-stays',
            `file ${params.id} is gone from this machine; its copy is in an object store that recording.s3 does not name any more`,
          );
        }
        return undefined;
      },
    }),
  ];
}
