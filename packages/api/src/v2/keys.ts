import { randomUUID } from 'node:crypto';
import { API_SCOPES, type ApiKey, hashKey, makeKey, type StreamKey, TOKEN_KINDS } from '@sluice/core';
import { millis } from '@sluice/media';
import { z } from 'zod';
import { notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { id, iso, isoOrNull, label, network, pathPattern, seconds, time } from './schemas.js';

const streamKeySchema = z.object({
  id: z.string(),
  label: z.string(),
  action: z.enum(['publish', 'play']),
  path: z.string(),
  createdAt: time,
  expiresAt: time.nullable(),
});

const streamKeyOf = ({
  id,
  label,
  action,
  path,
  createdAt,
  expiresAt,
}: StreamKey): z.input<typeof streamKeySchema> => ({
  id,
  label,
  action,
  path,
  createdAt: iso(createdAt),
  expiresAt: isoOrNull(expiresAt),
});

const apiKeySchema = z.object({
  id: z.string(),
  label: z.string(),
  scopes: z.array(z.enum(API_SCOPES)),
  createdAt: time,
  expiresAt: time.nullable(),
});

const apiKeyOf = ({ id, label, scopes, createdAt, expiresAt }: ApiKey): z.input<typeof apiKeySchema> => ({
  id,
  label,
  scopes: [...scopes],
  createdAt: iso(createdAt),
  expiresAt: isoOrNull(expiresAt),
});

const shownOnce = z.string().describe('Shown this once, and kept as a hash only.');

export function streamKeyRoutes({ streamKeys, gate, clock, audit }: Control): Route[] {
  return [
    route({
      method: 'get',
      path: '/stream-keys',
      tag: 'Stream keys',
      summary: 'All stream keys, without what they are',
      needs: 'keys',
      answer: z.object({ streamKeys: z.array(streamKeySchema) }),
      handle: () => ({ streamKeys: streamKeys.list().map(streamKeyOf) }),
    }),
    route({
      method: 'post',
      path: '/stream-keys',
      tag: 'Stream keys',
      summary: 'Make a key for encoders, or for players',
      needs: 'keys',
      body: z.strictObject({
        path: pathPattern,
        action: z.enum(['publish', 'play']).default('publish'),
        label: label.default('stream key'),
        seconds: seconds.optional().describe('How long it holds; for ever where it is missing.'),
      }),
      status: 201,
      answer: z.object({ streamKey: streamKeySchema, key: shownOnce }),
      handle: async ({ body, principal, ip }) => {
        const key = makeKey('key');
        const createdAt = clock.wall();
        const { seconds: lifetime, ...rest } = body;
        const expiresAt = lifetime === undefined ? undefined : millis(createdAt + lifetime * 1000);
        const made = await streamKeys.put({ ...rest, id: randomUUID(), hash: hashKey(key), createdAt, expiresAt });
        const detail = `${made.action} ${made.path}`;
        audit.record({ actor: principal.name, ip, action: 'stream-key.create', target: made.id, result: 'ok', detail });
        return { streamKey: streamKeyOf(made), key };
      },
    }),
    route({
      method: 'delete',
      path: '/stream-keys/{id}',
      tag: 'Stream keys',
      summary: 'Revoke a stream key, and end the sessions that it began',
      needs: 'keys',
      params: id,
      handle: async ({ params, principal, ip }) => {
        if ((await streamKeys.delete(params.id)) === undefined) throw notFound(`stream key ${params.id}`);
        gate.recheck();
        audit.record({ actor: principal.name, ip, action: 'stream-key.revoke', target: params.id, result: 'ok' });
        return undefined;
      },
    }),
  ];
}

export function tokenRoutes({ tokens, audit }: Control): Route[] {
  return [
    route({
      method: 'post',
      path: '/tokens',
      tag: 'Tokens',
      summary: 'Make a token to put into a URL',
      needs: 'keys',
      body: z.strictObject({
        kind: z.enum(TOKEN_KINDS).default('sign').describe('sign: a signed URL; jwt; wms-auth.'),
        action: z.enum(['publish', 'play']).default('play'),
        path: pathPattern,
        viewer: label.optional().describe('The account that it is for.'),
        ip: network.optional().describe('The address or block from which it holds.'),
        seconds: seconds.default(3600).describe('How long a session can begin with it.'),
        sessionSeconds: seconds.optional().describe('When its sessions end, from now on.'),
      }),
      status: 201,
      answer: z.object({
        parameter: z.enum(['sign', 'token', 'wmsAuthSign']),
        value: z.string(),
        query: z.string().describe('To be put behind a URL of the stream.'),
        expiresAt: time,
      }),
      handle: async ({ body, principal, ip }) => {
        const { kind, seconds: validSeconds, ...grant } = body;
        const { parameter, value, expiresAt } = await tokens.issue(kind, { ...grant, validSeconds });
        const detail = `${kind} to ${body.action}${body.viewer === undefined ? '' : ` for ${body.viewer}`}`;
        audit.record({ actor: principal.name, ip, action: 'token.create', target: body.path, result: 'ok', detail });
        return {
          parameter,
          value,
          query: `?${new URLSearchParams({ [parameter]: value })}`,
          expiresAt: iso(expiresAt),
        };
      },
    }),
  ];
}

export function apiKeyRoutes({ apiKeys, clock, audit }: Control): Route[] {
  return [
    route({
      method: 'get',
      path: '/api-keys',
      tag: 'API keys',
      summary: 'All API keys, without what they are',
      needs: 'admin',
      answer: z.object({ apiKeys: z.array(apiKeySchema) }),
      handle: () => ({ apiKeys: apiKeys.list().map(apiKeyOf) }),
    }),
    route({
      method: 'post',
      path: '/api-keys',
      tag: 'API keys',
      summary: 'Make a key for a program that uses this API',
      needs: 'admin',
      limited: 'changes',
      body: z.strictObject({
        label,
        scopes: z.array(z.enum(API_SCOPES)).min(1).max(API_SCOPES.length),
        seconds: seconds.optional(),
      }),
      status: 201,
      answer: z.object({ apiKey: apiKeySchema, key: shownOnce }),
      handle: async ({ body, principal, ip }) => {
        const key = makeKey('api');
        const createdAt = clock.wall();
        const expiresAt = body.seconds === undefined ? undefined : millis(createdAt + body.seconds * 1000);
        const { label: name, scopes } = body;
        const made = await apiKeys.put({
          id: randomUUID(),
          hash: hashKey(key),
          label: name,
          scopes,
          createdAt,
          expiresAt,
        });
        const detail = scopes.join(' ');
        audit.record({ actor: principal.name, ip, action: 'api-key.create', target: made.id, result: 'ok', detail });
        return { apiKey: apiKeyOf(made), key };
      },
    }),
    route({
      method: 'delete',
      path: '/api-keys/{id}',
      tag: 'API keys',
      summary: 'Revoke an API key',
      needs: 'admin',
      params: id,
      handle: async ({ params, principal, ip }) => {
        if ((await apiKeys.delete(params.id)) === undefined) throw notFound(`API key ${params.id}`);
        audit.record({ actor: principal.name, ip, action: 'api-key.revoke', target: params.id, result: 'ok' });
        return undefined;
      },
    }),
  ];
}
