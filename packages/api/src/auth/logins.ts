import { randomUUID } from 'node:crypto';
import { type Clock, type Config, type Directory, hashKey, makeKey, type RefreshToken, type User } from '@sluice/core';
import { millis } from '@sluice/media';
import type { AccessTokens } from './access-tokens.js';

/** What a login, or its renewal, gives. */
export interface Login {
  readonly user: User;
  readonly accessToken: string;
  readonly expiresIn: number;
  /** For the cookie. */
  readonly refreshToken: string;
  readonly refreshSeconds: number;
}

/** Two tabs may renew at the same moment; a token that is shown again later than this was stolen. */
const REUSE_GRACE_MS = 10_000;

/** Logins that can be renewed: each refresh token once, and when one comes back, its whole login is void. */
export class Logins {
  readonly #settings: () => Config['api'];
  readonly #users: Directory<User>;
  readonly #tokens: Directory<RefreshToken>;
  readonly #accessTokens: AccessTokens;
  readonly #clock: Clock;

  constructor(options: {
    settings: () => Config['api'];
    users: Directory<User>;
    refreshTokens: Directory<RefreshToken>;
    accessTokens: AccessTokens;
    clock: Clock;
  }) {
    this.#settings = options.settings;
    this.#users = options.users;
    this.#tokens = options.refreshTokens;
    this.#accessTokens = options.accessTokens;
    this.#clock = options.clock;
  }

  /** Begins a login for a user whose password was right. */
  begin(user: User): Promise<Login> {
    return this.#issue(user, randomUUID());
  }

  /** @returns undefined where the refresh token isn't good any more */
  async renew(shown: string): Promise<Login | undefined> {
    const token = this.#find(shown);
    if (token === undefined) return undefined;
    const now = this.#clock.wall();
    const user = this.#users.get(token.userId);
    const isOld = token.expiresAt <= now;
    const wasUsed = token.usedAt !== undefined && now - token.usedAt > REUSE_GRACE_MS;
    if (user === undefined || user.disabled || isOld || wasUsed) {
      await this.#endFamily(token.family);
      return undefined;
    }
    await this.#tokens.put({ ...token, usedAt: token.usedAt ?? now });
    return this.#issue(user, token.family);
  }

  /** Ends the login that a refresh token belongs to. */
  async end(shown: string): Promise<User | undefined> {
    const token = this.#find(shown);
    if (token === undefined) return undefined;
    await this.#endFamily(token.family);
    return this.#users.get(token.userId);
  }

  /** Ends all logins of a user. */
  async endAll(userId: string): Promise<void> {
    await this.#deleteWhere((token) => token.userId === userId);
  }

  #find(shown: string): RefreshToken | undefined {
    const hash = hashKey(shown);
    return this.#tokens.find((token) => token.hash === hash);
  }

  async #issue(user: User, family: string): Promise<Login> {
    const { accessTokenSeconds, refreshTokenSeconds } = this.#settings();
    const now = this.#clock.wall();
    await this.#deleteWhere((token) => token.expiresAt <= now);
    const refreshToken = makeKey('rt');
    await this.#tokens.put({
      id: randomUUID(),
      hash: hashKey(refreshToken),
      family,
      userId: user.id,
      createdAt: now,
      expiresAt: millis(now + refreshTokenSeconds * 1000),
    });
    return {
      user,
      accessToken: await this.#accessTokens.make(user, accessTokenSeconds),
      expiresIn: accessTokenSeconds,
      refreshToken,
      refreshSeconds: refreshTokenSeconds,
    };
  }

  #endFamily(family: string): Promise<void> {
    return this.#deleteWhere((token) => token.family === family);
  }

  async #deleteWhere(matches: (token: RefreshToken) => boolean): Promise<void> {
    for (const { id } of this.#tokens.list().filter(matches)) await this.#tokens.delete(id);
  }
}
