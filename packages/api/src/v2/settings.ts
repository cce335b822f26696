import { type ConfigChange, ConfigError, ConfigSecrets, configEntries } from '@sluice/core';
import { z } from 'zod';
import { ApiError, notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';

const settingSchema = z.object({
  key: z.string(),
  value: z.unknown().describe('`(set)` in place of a secret.'),
  source: z.enum(['default', 'file', 'api', 'environment']).describe('Where the value comes from.'),
  pending: z.unknown().optional().describe('What the next start would use, where it differs.'),
  environment: z.string().nullable().describe('The variable of the same meaning.'),
  type: z.string(),
  allowed: z.string(),
  choices: z.array(z.string()).nullable().describe('All values that are allowed, where they are few.'),
  secret: z.boolean().describe('Its value is never shown.'),
  default: z.unknown(),
  description: z.string(),
  restart: z.boolean().describe('A change takes effect at the next start.'),
});

const changeSchema = z.object({
  applied: z.array(z.string()).describe('Keys whose new values are in force.'),
  needRestart: z.array(z.string()).describe('Keys whose new values wait for the next start.'),
});

const changed = ({ applied, needRestart }: ConfigChange) => ({ applied: [...applied], needRestart: [...needRestart] });

export function settingRoutes({ config, audit }: Control): Route[] {
  const entries = new Map(configEntries().map((entry) => [entry.key, entry]));
  const secrets = new ConfigSecrets();
  return [
    route({
      method: 'get',
      path: '/config',
      tag: 'Configuration',
      summary: 'Every setting, with its value and where that comes from',
      needs: 'config',
      answer: z.object({ settings: z.array(settingSchema) }),
      handle: () => ({
        settings: config.live.settings().map(({ key, value, source, pending }) => {
          const entry = entries.get(key);
          return {
            key,
            value: secrets.hidden(key.split('.'), value) ?? null,
            source,
            ...(pending === undefined ? {} : { pending: secrets.hidden(key.split('.'), pending) ?? null }),
            environment: entry?.environment ?? null,
            type: entry?.type ?? 'string',
            allowed: entry?.allowed ?? '',
            choices: entry?.choices === undefined ? null : [...entry.choices],
            secret: entry?.secret ?? false,
            default: entry?.default ?? null,
            description: entry?.description ?? '',
            restart: entry?.restart ?? false,
          };
        }),
      }),
    }),
    route({
      method: 'patch',
      path: '/config',
      tag: 'Configuration',
      summary: 'Change settings, all or none; no session is cut that would still be let in',
      needs: 'config',
      limited: 'changes',
      body: z
        .record(z.string().max(100), z.json())
        .refine((values) => Object.keys(values).length > 0, { error: 'name a key, as in {"hls.segmentSeconds": 4}' }),
      answer: changeSchema,
      handle: async ({ body, principal, ip }) => {
        const before = new Map(config.live.settings().map(({ key, value, pending }) => [key, pending ?? value]));
        const values = Object.entries(body).map(([key, value]): [string, unknown] => [
          key,
          secrets.restored(key.split('.'), value, before.get(key)),
        ]);
        const change = await changing(config.set(new Map(values), principal.name), Object.keys(body));
        const target = Object.keys(body).join(' ');
        audit.record({ actor: principal.name, ip, action: 'config.change', target, result: 'ok' });
        return changed(change);
      },
    }),
    route({
      method: 'delete',
      path: '/config/{key}',
      tag: 'Configuration',
      summary: 'Take a change back: file or default hold again',
      needs: 'config',
      limited: 'changes',
      params: z.object({ key: z.string().max(100) }).strict(),
      status: 200,
      answer: changeSchema,
      handle: async ({ params: { key }, principal, ip }) => {
        const change = await changing(config.unset(key), [key]);
        if (change === undefined) throw notFound(`change of ${key}`);
        audit.record({ actor: principal.name, ip, action: 'config.unset', target: key, result: 'ok' });
        return changed(change);
      },
    }),
    route({
      method: 'post',
      path: '/config/reload',
      tag: 'Configuration',
      summary: 'Read file, environment and certificate again',
      needs: 'config',
      limited: 'changes',
      answer: changeSchema,
      handle: async ({ principal, ip }) => {
        const change = await config.reload();
        const detail = change.applied.join(' ');
        audit.record({ actor: principal.name, ip, action: 'config.reload', target: 'file', result: 'ok', detail });
        return changed(change);
      },
    }),
  ];
}

/** What can't be set is told with the key that it is about, where that is one of those that were asked for. */
async function changing<T>(change: Promise<T>, keys: readonly string[]): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const isAbout = (problem: string, key: string) =>
      problem.startsWith(key) && /^[: .]/.test(problem.slice(key.length));
    const field = keys.find((key) => error.problems.some((problem) => isAbout(problem, key)));
    throw new ApiError(400, 'bad-config', error.problems.join('; '), field);
  }
}
