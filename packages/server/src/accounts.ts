import { randomUUID } from 'node:crypto';
import {
  type ApiKey,
  Bans,
  type Clock,
  Directory,
  hashPassword,
  makePassword,
  type RefreshToken,
  type StreamKey,
  type User,
} from '@sluice/core';
import { millis } from '@sluice/media';
import type { Storage } from '@sluice/storage';

/** Who is known to the server, and who is kept out. */
export interface Accounts {
  readonly users: Directory<User>;
  readonly streamKeys: Directory<StreamKey>;
  readonly apiKeys: Directory<ApiKey>;
  readonly refreshTokens: Directory<RefreshToken>;
  readonly bans: Bans;
}

export async function loadAccounts(storage: Storage, clock: Clock): Promise<Accounts> {
  const [users, streamKeys, apiKeys, refreshTokens, bans] = await Promise.all([
    Directory.load(storage.users),
    Directory.load(storage.streamKeys),
    Directory.load(storage.apiKeys),
    Directory.load(storage.refreshTokens),
    Bans.load(storage.bans, clock),
  ]);
  return { users, streamKeys, apiKeys, refreshTokens, bans };
}

/** The first user of a server. */
export const FIRST_USER = 'admin';

/**
 * Makes the first user where there is none.
 *
 * @returns its password, which is kept nowhere
 */
export async function makeFirstUser(users: Directory<User>, clock: Clock): Promise<string | undefined> {
  if (users.size > 0) return undefined;
  const password = makePassword();
  await users.put({
    id: randomUUID(),
    name: FIRST_USER,
    role: 'admin',
    passwordHash: await hashPassword(password),
    publish: ['*/*'],
    play: ['*/*'],
    createdAt: clock.wall(),
    tokensValidFrom: millis(0),
    disabled: false,
  });
  return password;
}
