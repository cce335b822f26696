import type { RecordingCheckRun } from '@sluice/core';
import { z } from 'zod';
import { ApiError, notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { iso, isoOrNull, time } from './schemas.js';

const checkSchema = z.object({
  state: z.enum(['running', 'done', 'failed']),
  repair: z.boolean(),
  checksums: z.boolean(),
  startedAt: time,
  endedAt: time.nullable(),
  files: z.number().int().describe('Looked at so far.'),
  bytes: z.number().int(),
  findings: z.array(
    z.object({
      fault: z.string(),
      file: z.string(),
      id: z.string().nullable(),
      detail: z.string(),
      repaired: z.boolean(),
    }),
  ),
  unlisted: z.number().int().describe('Findings beyond those that are listed.'),
  failure: z.string().nullable().describe('Why it ended before its time.'),
});

function checkOf(run: RecordingCheckRun): z.input<typeof checkSchema> {
  const { options, startedAt, endedAt, files, bytes, findings, unlisted, failure } = run;
  return {
    ...{ ...options, files, bytes, unlisted },
    state: endedAt === undefined ? 'running' : failure === undefined ? 'done' : 'failed',
    startedAt: iso(startedAt),
    endedAt: isoOrNull(endedAt),
    findings: findings.map(({ id, ...rest }) => ({ ...rest, id: id ?? null })),
    failure: failure ?? null,
  };
}

/** A check can take hours: it is begun by one request, and asked about by others. */
export function recordingCheckRoutes({ recordings: { checks }, audit }: Control): Route[] {
  return [
    route({
      method: 'post',
      path: '/recordings/check',
      tag: 'Recordings',
      summary: 'Begin to compare the index of recordings with the disk; entries are set right',
      needs: 'sessions',
      body: z.strictObject({
        repair: z
          .boolean()
          .default(false)
          .describe('Cut off what cannot be played, and index files that are not known.'),
        checksums: z.boolean().default(false).describe('Read every file from beginning to end.'),
      }),
      status: 202,
      answer: checkSchema,
      handle: ({ body, principal, ip }) => {
        const run = checks.begin(body);
        if (run === undefined) throw new ApiError(409, 'busy', 'a check of the recordings is under way');
        const detail = Object.entries(body).flatMap(([name, isOn]) => (isOn ? [name] : []));
        const about = { action: 'recording.check', target: 'recordings', detail: detail.join(', ') };
        audit.record({ actor: principal.name, ip, result: 'ok', ...about });
        return checkOf(run);
      },
    }),
    route({
      method: 'get',
      path: '/recordings/check',
      tag: 'Recordings',
      summary: 'How the check under way is getting on, or what the last one since the start has found',
      needs: 'read',
      answer: checkSchema,
      handle: () => {
        const { last } = checks;
        if (last === undefined) throw notFound('check of recordings yet');
        return checkOf(last);
      },
    }),
  ];
}
