import { type Ban, credentialName, hashKey, jwtName, wmsAuthIdentity } from '@sluice/core';
import { z } from 'zod';
import { ApiError, notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { id, iso, isoOrNull, label, network, pathPattern, seconds, time } from './schemas.js';

export const banSchema = z.object({
  id: z.string(),
  kind: z.enum(['session', 'viewer', 'token', 'ip']),
  value: z.string(),
  path: z.string().nullable(),
  reason: z.string(),
  createdBy: z.string(),
  createdAt: time,
  expiresAt: time.nullable(),
});

export function banOf(ban: Ban): z.input<typeof banSchema> {
  const { id, kind, value, path, reason, createdBy, createdAt, expiresAt } = ban;
  return {
    id,
    kind,
    value,
    path: path ?? null,
    reason,
    createdBy,
    createdAt: iso(createdAt),
    expiresAt: isoOrNull(expiresAt),
  };
}

const common = {
  path: pathPattern.optional(),
  seconds: seconds.optional().describe('For how long; for ever where it is missing.'),
  reason: label.default('banned'),
};

const newBan = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ip'), value: network, ...common }),
  z.strictObject({ kind: z.literal('viewer'), value: label.describe('The account.'), ...common }),
  z.strictObject({
    kind: z.literal('token'),
    value: z
      .string()
      .min(1)
      .max(8192)
      .describe('The credential’s name, as sessions show it, or the credential itself.'),
    ...common,
  }),
  z.strictObject({
    kind: z.literal('session'),
    value: z.string().min(1).max(100).describe('The id of a session that is open.'),
    ...common,
  }),
]);

/** Names of credentials, as sessions show them: a hash, or the id of a key or user. */
const CREDENTIAL_NAME = /^([0-9a-f]{24}|[0-9a-f-]{36})$/;

/** The name of a credential, from that name or from the credential itself: as the checks of each kind give it. */
function nameOfCredential(shown: string, streamKeys: Control['streamKeys']): string {
  if (CREDENTIAL_NAME.test(shown)) return shown;
  const hash = hashKey(shown);
  const key = streamKeys.find((candidate) => candidate.hash === hash);
  if (key !== undefined) return key.id;
  if (shown.split('.').length === 3) return jwtName(shown);
  const isWmsAuth = Buffer.from(shown, 'base64').toString().includes('hash_value=');
  return credentialName(isWmsAuth ? wmsAuthIdentity(shown) : shown);
}

export function banRoutes({ bans, gate, registry, streamKeys, audit }: Control): Route[] {
  const bannedValue = (body: z.output<typeof newBan>): string => {
    if (body.kind === 'token') return nameOfCredential(body.value, streamKeys);
    if (body.kind !== 'session') return body.value;
    const open = registry.get(body.value);
    if (open === undefined) throw new ApiError(404, 'not-found', `there is no open session ${body.value}`, 'value');
    return open.session.fingerprint;
  };
  return [
    route({
      method: 'get',
      path: '/bans',
      tag: 'Bans',
      summary: 'Who is kept out',
      needs: 'read',
      answer: z.object({ bans: z.array(banSchema) }),
      handle: () => ({ bans: bans.list().map(banOf) }),
    }),
    route({
      method: 'post',
      path: '/bans',
      tag: 'Bans',
      summary: 'Keep somebody out, and end the sessions that this is about',
      needs: 'sessions',
      body: newBan,
      status: 201,
      answer: z.object({ ban: banSchema, ended: z.number().int().describe('Sessions that were ended.') }),
      handle: async ({ body, principal, ip }) => {
        const { kind, path, seconds, reason } = body;
        const ban = await bans.add({
          kind,
          value: bannedValue(body),
          path,
          seconds,
          reason,
          createdBy: principal.name,
        });
        const ended = gate.recheck().length;
        const target = kind === 'token' ? ban.id : `${kind} ${ban.value}`;
        audit.record({ actor: principal.name, ip, action: 'ban.add', target, result: 'ok', detail: reason });
        return { ban: banOf(ban), ended };
      },
    }),
    route({
      method: 'delete',
      path: '/bans/{id}',
      tag: 'Bans',
      summary: 'Lift a ban',
      needs: 'sessions',
      params: id,
      handle: async ({ params, principal, ip }) => {
        const ban = await bans.remove(params.id);
        if (ban === undefined) throw notFound(`ban ${params.id}`);
        audit.record({ actor: principal.name, ip, action: 'ban.remove', target: ban.id, result: 'ok' });
        return undefined;
      },
    }),
  ];
}
