import {
  CAPTURE_FAILURES,
  type CaptureInfo,
  CaptureRefusal,
  type CaptureRefusalCode,
  type CaptureRequest,
  type CaptureState,
} from '@sluice/core';
import { z } from 'zod';
import { ApiError, notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { id, iso, isoOrNull, label, time } from './schemas.js';

const captureSchema = z.object({
  id: z.string(),
  meetingId: z.string(),
  profile: z.string(),
  target: z.string().describe("Where it is published to, without the stream's key."),
  state: z.enum(['waiting', 'joining', 'live', 'degraded', 'ended', 'failed']),
  since: time.nullable().describe('Of `live` and `degraded`.'),
  step: z.string().nullable().describe('What it is at, of `joining`.'),
  attempt: z.number().int().nullable().describe('Of `joining`.'),
  trouble: z.string().nullable().describe('Of `degraded`: `silent`, `black`, `frozen`, `audio-lost`, …'),
  reason: z.string().nullable().describe('Of `ended`: `meeting-ended` or `stopped`.'),
  failure: z.enum(CAPTURE_FAILURES).nullable().describe('Of `failed`.'),
  detail: z.string().nullable().describe('More, for people.'),
  startedAt: time,
  startedBy: z.string(),
  endedAt: time.nullable(),
  generation: z.string().nullable().describe("The meeting's client: `2.x`, `3.0`, `livekit`."),
  pictures: z.number().int().describe('Published so far.'),
  picturesPerSecond: z.number(),
  bytes: z.number().int(),
  rejoins: z.number().int().describe('How often it joined again.'),
  memoryBytes: z.number().int().describe('What the browser and its helpers take.'),
  cpus: z.number().describe('Processors that they take: 1.5 is one and a half.'),
});

function stateOf(state: CaptureState) {
  return {
    state: state.kind,
    since: state.kind === 'live' || state.kind === 'degraded' ? iso(state.since) : null,
    step: state.kind === 'joining' ? state.step : null,
    attempt: state.kind === 'joining' ? state.attempt : null,
    trouble: state.kind === 'degraded' ? state.trouble : null,
    reason: state.kind === 'ended' ? state.reason : null,
    failure: state.kind === 'failed' ? state.failure : null,
    detail: state.kind === 'degraded' || state.kind === 'failed' ? state.detail : null,
  };
}

export function captureOf(info: CaptureInfo): z.input<typeof captureSchema> {
  const { id, meetingId, profile, target, state, startedAt, startedBy, endedAt, generation, figures } = info;
  return {
    ...{ id, meetingId, profile, target, startedBy },
    ...stateOf(state),
    ...figures,
    startedAt: iso(startedAt),
    endedAt: isoOrNull(endedAt),
    generation: generation ?? null,
  };
}

const STATUS_OF: Partial<Record<CaptureRefusalCode, number>> = {
  'over-limit': 429,
  'already-captured': 409,
  'not-configured': 409,
  'target-not-allowed': 403,
  'no-browser': 503,
  'no-encoder': 503,
};

const newCapture = z.strictObject({
  meetingId: z.string().min(2).max(256),
  target: z.string().min(3).max(2000).describe('A stream of this server, `live/show`, or an RTMP URL of bbb.targets.'),
  profile: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .optional()
    .describe('Of bbb.profiles.'),
  password: z.string().min(1).max(200).optional().describe("The meeting's, for attendees. Kept nowhere."),
  joinUrl: z.string().min(1).max(8192).optional().describe('A ready link into the meeting. Kept nowhere.'),
  name: label.optional().describe('What the attendee is called.'),
});

const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  active: z.number().int().describe('Captures under way.'),
  live: z.number().int().describe('Of these, those that are as they should be.'),
  degraded: z.number().int(),
  failed: z.number().int().describe('In the last ten minutes.'),
});
const FAILURE_TOLD_MS = 600_000;

function healthOf(captures: readonly CaptureInfo[], now: number): z.output<typeof healthSchema> {
  const count = (...kinds: CaptureState['kind'][]) => captures.filter(({ state }) => kinds.includes(state.kind)).length;
  const degraded = count('degraded');
  const failed = captures.filter(
    ({ state, endedAt = 0 }) => state.kind === 'failed' && now - endedAt < FAILURE_TOLD_MS,
  );
  return {
    status: degraded + failed.length === 0 ? 'ok' : 'degraded',
    active: count('waiting', 'joining', 'live', 'degraded'),
    live: count('live'),
    degraded,
    failed: failed.length,
  };
}

const meansSchema = z.object({
  possible: z.boolean().describe('Whether any capture can begin.'),
  missing: z
    .array(z.object({ what: z.enum(['browser', 'encoder', 'server', 'secret']), detail: z.string() }))
    .describe('What keeps captures, or some of them, from beginning. Without `server`, a link to join is needed.'),
  profiles: z.array(z.string()),
  targets: z.array(z.string()).describe('RTMP origins that may be published to, beside this server.'),
  maxCaptures: z.number().int(),
});

const lineSchema = z.object({
  at: time,
  level: z.enum(['info', 'warn', 'error']),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()),
});

export function captureRoutes({ captures, audit, clock }: Control): Route[] {
  const find = (wanted: string): CaptureInfo => {
    const found = captures.captures.find((info) => info.id === wanted);
    if (found === undefined) throw notFound(`capture ${wanted}`);
    return found;
  };
  return [
    route({
      method: 'get',
      path: '/bbb',
      tag: 'BigBlueButton',
      summary: 'Whether meetings can be captured, and what is missing',
      needs: 'read',
      answer: meansSchema,
      handle: () => {
        const { isPossible, missing, profiles, targets, maxCaptures } = captures.means;
        return {
          possible: isPossible,
          missing: [...missing],
          profiles: [...profiles],
          targets: [...targets],
          maxCaptures,
        };
      },
    }),
    route({
      method: 'get',
      path: '/bbb/captures',
      tag: 'BigBlueButton',
      summary: 'Captures of meetings: those under way, and the last ones that are over',
      needs: 'read',
      answer: z.object({ captures: z.array(captureSchema) }),
      handle: () => ({ captures: captures.captures.map(captureOf) }),
    }),
    route({
      method: 'get',
      path: '/bbb/captures/{id}',
      tag: 'BigBlueButton',
      summary: 'One capture',
      needs: 'read',
      params: id,
      answer: captureSchema,
      handle: ({ params }) => captureOf(find(params.id)),
    }),
    route({
      method: 'get',
      path: '/bbb/captures/{id}/log',
      tag: 'BigBlueButton',
      summary: 'The last lines of a capture’s log, the oldest first',
      needs: 'read',
      params: id,
      answer: z.object({ lines: z.array(lineSchema) }),
      handle: ({ params }) => {
        const lines = captures.logOf(params.id);
        if (lines === undefined) throw notFound(`capture ${params.id}`);
        return { lines: lines.map(({ at, level, message, fields }) => ({ at: iso(at), level, message, fields })) };
      },
    }),
    route({
      method: 'get',
      path: '/bbb/health',
      tag: 'BigBlueButton',
      summary: '200 where all captures are as they should be, 503 where one is degraded or has failed',
      needs: 'open-read',
      answer: healthSchema,
      handle: ({ response }) => {
        const health = healthOf(captures.captures, clock.wall());
        response.status(health.status === 'ok' ? 200 : 503);
        response.json(health);
        return undefined;
      },
    }),
    route({
      method: 'post',
      path: '/bbb/captures',
      tag: 'BigBlueButton',
      summary: 'Send a meeting into a stream',
      needs: 'sessions',
      limited: 'apart',
      body: newCapture,
      status: 201,
      answer: captureSchema,
      handle: ({ body, principal, ip }) => {
        const entry = { actor: principal.name, ip, action: 'capture.start', target: body.meetingId };
        try {
          const info = captures.start(body as CaptureRequest, principal.name);
          const detail = `${info.id}: profile ${info.profile} to ${info.target}`;
          audit.record({ ...entry, result: 'ok', detail });
          return captureOf(info);
        } catch (error) {
          if (!(error instanceof CaptureRefusal)) throw error;
          audit.record({ ...entry, result: 'refused', detail: error.code });
          throw new ApiError(STATUS_OF[error.code] ?? 400, error.code, error.message, error.field);
        }
      },
    }),
    route({
      method: 'delete',
      path: '/bbb/captures/{id}',
      tag: 'BigBlueButton',
      summary: 'End a capture',
      needs: 'sessions',
      limited: 'apart',
      params: id,
      handle: ({ params, principal, ip }) => {
        const { meetingId } = find(params.id);
        const wasUnderWay = captures.stop(params.id, principal.name);
        const result = wasUnderWay ? 'ok' : 'failed';
        audit.record({
          actor: principal.name,
          ip,
          action: 'capture.stop',
          target: meetingId,
          result,
          detail: params.id,
        });
        if (!wasUnderWay) throw new ApiError(409, 'not-possible', `capture ${params.id} is over already`);
        return undefined;
      },
    }),
  ];
}
