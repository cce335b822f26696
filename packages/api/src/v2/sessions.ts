import {
  type Ban,
  type OpenSession,
  pathFits,
  type Session,
  type SessionRecord,
  type TrafficMeter,
} from '@sluice/core';
import { millis } from '@sluice/media';
import { z } from 'zod';
import { ApiError, notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import { banOf, banSchema } from './bans.js';
import type { Control } from './control.js';
import { id, iso, isoOrNull, label, limit, pathPattern, seconds, streamPath, time, timeInQuery } from './schemas.js';

export const sessionSchema = z.object({
  id: z.string(),
  node: z.string().describe('The server of the cluster that it is on.'),
  action: z.string(),
  protocol: z.string(),
  path: streamPath,
  ip: z.string(),
  addresses: z.array(z.string()).describe('All that have used it.'),
  userAgent: z.string().nullable(),
  identity: z.string().describe('What let it in: anonymous, or the kind of its credential.'),
  viewer: z.string().nullable().describe('The account behind it.'),
  credential: z.string().nullable().describe('The name of its credential, to deny by.'),
  openedAt: time,
  expiresAt: time.nullable(),
  received: z.number().int().describe('Bytes.'),
  sent: z.number().int().describe('Bytes.'),
  bitrate: z.object({ received: z.number(), sent: z.number() }).describe('Bit/s over the last 30 s.'),
  ending: z.string().nullable().describe('Why it is being ended.'),
  transport: z
    .record(z.string(), z.number())
    .nullable()
    .describe("What its protocol tells of the line: over SRT, libsrt's counters (`msRTT`, `pktRcvLoss`, …)."),
});

/** What the traffic of sessions is asked of. */
type Rates = Pick<TrafficMeter, 'rateOf'>;

export function sessionOf(open: OpenSession, node: string, rates: Rates): z.input<typeof sessionSchema> {
  const { session, traffic, addresses, transport, ending } = open;
  const { identity } = session;
  const kbps = rates.rateOf(session.id);
  return {
    id: session.id,
    node,
    action: session.action,
    protocol: session.protocol,
    path: session.path,
    ip: session.ip,
    addresses: [...addresses],
    userAgent: session.userAgent ?? null,
    identity: identity.kind,
    viewer: identity.viewer ?? null,
    credential: identity.credential ?? null,
    openedAt: iso(session.openedAt),
    expiresAt: isoOrNull(identity.expiresAt),
    received: traffic.received,
    sent: traffic.sent,
    bitrate: { received: Math.round(kbps.received * 1000), sent: Math.round(kbps.sent * 1000) },
    ending: ending ?? null,
    transport: transport === undefined ? null : { ...transport },
  };
}

const pastSchema = z.object({
  id: z.string(),
  action: z.string(),
  protocol: z.string(),
  path: streamPath,
  ip: z.string(),
  userAgent: z.string().nullable(),
  identity: z.string(),
  viewer: z.string().nullable(),
  credential: z.string().nullable(),
  openedAt: time,
  closedAt: time,
  reason: z.string(),
  received: z.number().int(),
  sent: z.number().int(),
});

function pastOf({ userAgent, viewer, credential, openedAt, closedAt, ...rest }: SessionRecord) {
  return {
    ...rest,
    userAgent: userAgent ?? null,
    viewer: viewer ?? null,
    credential: credential ?? null,
    openedAt: iso(openedAt),
    closedAt: iso(closedAt),
  };
}

const filters = z
  .object({
    action: z.enum(['publish', 'play']).optional(),
    protocol: z.string().max(20).optional(),
    node: z.string().max(64).optional().describe('Those on one server of the cluster only.'),
    path: pathPattern.optional(),
    ip: z.string().max(64).optional(),
    viewer: z.string().max(255).optional(),
    after: z.string().max(100).optional().describe('The id of the last session of the page before.'),
    limit,
  })
  .strict();

type Filters = z.output<typeof filters>;

function fits({ session, addresses }: OpenSession, { action, protocol, path, ip, viewer }: Filters): boolean {
  return (
    (action === undefined || session.action === action) &&
    (protocol === undefined || session.protocol === protocol) &&
    (path === undefined || pathFits(path, session.path)) &&
    (ip === undefined || addresses.includes(ip)) &&
    (viewer === undefined || session.identity.viewer === viewer)
  );
}

/** A session, and the name of the server that it is on. */
type Placed = readonly [OpenSession, string];

/** This server's, then those of the others: each oldest first. */
export function* sessionsEverywhere(
  { registry, cluster }: Pick<Control, 'registry' | 'cluster'>,
  node?: string,
): Iterable<Placed> {
  if (node === undefined || node === cluster.node) for (const open of registry.list()) yield [open, cluster.node];
  for (const open of cluster.sessions()) if (node === undefined || node === open.node) yield [open, open.node];
}

/** From behind the one that the page before ended with. */
function page(all: Iterable<Placed>, wanted: Filters): Placed[] {
  const found: Placed[] = [];
  let skipping = wanted.after !== undefined;
  for (const [open, node] of all) {
    if (found.length >= wanted.limit) break;
    if (!skipping && fits(open, wanted)) found.push([open, node]);
    if (open.session.id === wanted.after) skipping = false;
  }
  return found;
}

const kickQuery = z
  .object({
    deny: z
      .enum(['none', 'auto', 'session', 'viewer', 'token', 'ip'])
      .default('none')
      .describe(
        'Who is kept out from now on; auto: the account, else the credential, else this device at this stream.',
      ),
    seconds: z.coerce.number().pipe(seconds).default(3600).describe('For how long.'),
    reason: label.default('kicked'),
  })
  .strict();

export function sessionRoutes(control: Control): Route[] {
  const { registry, history, audit, cluster, traffic } = control;
  const find = (wanted: string): Placed => {
    const own = registry.get(wanted);
    if (own !== undefined) return [own, cluster.node];
    const other = cluster.session(wanted);
    if (other === undefined) throw notFound(`open session ${wanted}`);
    return [other, other.node];
  };
  const told = (wanted: Filters) =>
    page(sessionsEverywhere(control, wanted.node), wanted).map(([open, node]) => sessionOf(open, node, traffic));
  return [
    route({
      method: 'get',
      path: '/sessions',
      tag: 'Sessions',
      summary: 'Who publishes and who watches, on every protocol',
      needs: 'open-read',
      query: filters,
      answer: z.object({ sessions: z.array(sessionSchema), total: z.number().int() }),
      handle: ({ query }) => ({ sessions: told(query), total: registry.size + cluster.sessionCount }),
    }),
    route({
      method: 'get',
      path: '/sessions/history',
      tag: 'Sessions',
      summary: 'Sessions that are over, newest first',
      needs: 'read',
      query: z
        .object({
          from: timeInQuery.optional(),
          to: timeInQuery.optional(),
          path: streamPath.optional(),
          ip: z.string().max(64).optional(),
          viewer: z.string().max(255).optional(),
          protocol: z.string().max(20).optional(),
          action: z.enum(['publish', 'play']).optional(),
          before: timeInQuery.optional().describe('closedAt of the last one of the page before.'),
          limit,
        })
        .strict(),
      answer: z.object({ sessions: z.array(pastSchema) }),
      handle: async ({ query: { from, to, before, ...rest } }) => {
        const at = (ms: number | undefined) => (ms === undefined ? undefined : millis(ms));
        const found = await history.query({ ...rest, from: at(from), to: at(to), before: at(before) });
        return { sessions: found.map(pastOf) };
      },
    }),
    route({
      method: 'get',
      path: '/sessions/{id}',
      tag: 'Sessions',
      summary: 'One session',
      needs: 'open-read',
      params: id,
      answer: sessionSchema,
      handle: ({ params }) => sessionOf(...find(params.id), traffic),
    }),
    route({
      method: 'delete',
      path: '/sessions/{id}',
      tag: 'Sessions',
      summary: 'End a session, and keep it from coming back if asked to',
      needs: 'sessions',
      params: id,
      query: kickQuery,
      status: 200,
      answer: z.object({ ban: banSchema.nullable() }),
      handle: async ({ params, query, principal, ip }) => {
        const [{ session }, node] = find(params.id);
        const ban = await denied(control, session, query, principal.name);
        const why = `${query.reason} (by ${principal.name})`;
        if (!registry.cut(session.id, why) && (await cluster.cutSession(session.id, why)) === 'unreachable') {
          const target = `${session.id} on ${node}`;
          audit.record({ actor: principal.name, ip, action: 'session.kick', target, result: 'failed' });
          throw new ApiError(503, 'node-unreachable', `the session is on ${node}, which doesn't answer; ask that one`);
        }
        const detail = ban === undefined ? query.reason : `${query.reason}; denied by ${ban.kind}`;
        audit.record({ actor: principal.name, ip, action: 'session.kick', target: session.id, result: 'ok', detail });
        return { ban: ban === undefined ? null : banOf(ban) };
      },
    }),
  ];
}

/** The ban comes before the cut: who is quick with coming back is kept out already. */
async function denied(
  { bans, gate }: Control,
  session: Session,
  { deny, seconds, reason }: z.output<typeof kickQuery>,
  createdBy: string,
): Promise<Ban | undefined> {
  if (deny === 'none') return undefined;
  const { viewer, credential } = session.identity;
  const auto = viewer !== undefined ? 'viewer' : credential !== undefined ? 'token' : 'session';
  const kind = deny === 'auto' ? auto : deny;
  const value = { session: session.fingerprint, viewer, token: credential, ip: session.ip }[kind];
  if (value === undefined) {
    throw new ApiError(400, 'bad-request', `session ${session.id} has no ${kind} to deny by`, 'deny');
  }
  const ban = bans.add({ kind, value, reason, createdBy, seconds });
  gate.recheck();
  return ban;
}
