import type { SharedKind } from '@sluice/cluster';
import { API_SCOPES, type Directory, ROLES, type SharedRecords, type User } from '@sluice/core';
import { millis } from '@sluice/media';
import { z } from 'zod';
import type { Accounts } from '../accounts.js';
import type { ConfigChanges } from '../config-changes.js';

const id = z.string().min(1).max(200);
const time = z.number().transform((ms) => millis(ms));
const text = z.string().max(8192);

const ban = z.object({
  id,
  kind: z.enum(['session', 'viewer', 'token', 'ip']),
  value: text,
  path: text.optional(),
  reason: text,
  createdBy: text,
  createdAt: time,
  expiresAt: time.optional(),
});

const user = z.object({
  id,
  name: text,
  role: z.enum(ROLES),
  passwordHash: text,
  publish: z.array(text),
  play: z.array(text),
  createdAt: time,
  tokensValidFrom: time,
  disabled: z.boolean(),
});

const streamKey = z.object({
  id,
  hash: text,
  label: text,
  action: z.enum(['publish', 'play']),
  path: text,
  createdAt: time,
  expiresAt: time.optional(),
});

const apiKey = z.object({
  id,
  hash: text,
  label: text,
  scopes: z.array(z.enum(API_SCOPES)),
  createdAt: time,
  expiresAt: time.optional(),
});

const setting = z.object({ id, value: z.string(), changedBy: text, changedAt: time });

/** What is about one machine: its addresses, ports, files and its own place in the cluster. */
const OF_ONE_NODE =
  /^(?:cluster|data|drain|workers|log|tls)(?:\.|$)|\.(?:host|port|tlsPort|announce|advertise)$|(?:File|Dir|dir)$/;

/** Whether a setting that is changed through the API holds on all nodes of a cluster. */
export function isSharedSetting(key: string): boolean {
  return !OF_ONE_NODE.test(key);
}

/** What the nodes of a cluster hold alike. */
export function sharedKinds({ bans, users, streamKeys, apiKeys }: Accounts, changes: ConfigChanges): SharedKind[] {
  return [
    {
      ...kind('bans', bans, ban),
      isOver: (record, now) => (ban.safeParse(record).data?.expiresAt ?? now) < now,
    },
    kind('users', withoutTwins(users), user),
    kind('streamKeys', streamKeys, streamKey),
    kind('apiKeys', apiKeys, apiKey),
    { ...kind('settings', changes.shared, setting), isShared: isSharedSetting },
  ];
}

function kind<T extends { readonly id: string }>(
  name: string,
  records: SharedRecords<T>,
  schema: z.ZodType<T>,
): SharedKind {
  return {
    name,
    // They are given only what the schema has read.
    records: records as unknown as SharedKind['records'],
    read: (value) => schema.safeParse(value).data,
  };
}

/** Each node made a first user of the same name before it came to the cluster; the cluster's own stays. */
function withoutTwins(users: Directory<User>): SharedRecords<User> {
  return {
    list: () => users.list(),
    get: (userId) => users.get(userId),
    onChange: (listener) => users.onChange(listener),
    adopt: async (userId, record) => {
      const name = record?.name.toLowerCase();
      const twins = users.list().filter((known) => known.id !== userId && known.name.toLowerCase() === name);
      for (const twin of twins) await users.adopt(twin.id, undefined);
      await users.adopt(userId, record);
    },
  };
}
