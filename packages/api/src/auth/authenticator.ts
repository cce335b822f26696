import { timingSafeEqual } from 'node:crypto';
import {
  type ApiKey,
  BusyError,
  type Clock,
  type Config,
  credentialsOf,
  type Directory,
  hashKey,
  type PasswordVerifier,
  type User,
} from '@sluice/core';
import { ApiError } from '../http/api-error.js';
import type { AccessTokens } from './access-tokens.js';
import type { Oidc } from './oidc.js';
import { ANONYMOUS, type Principal, principalOfUser, SCOPES_OF } from './principal.js';

export interface AuthenticatorOptions {
  readonly settings: () => Config['api'];
  readonly users: Directory<User>;
  readonly apiKeys: Directory<ApiKey>;
  readonly passwords: PasswordVerifier;
  readonly accessTokens: AccessTokens;
  readonly oidc: Oidc;
  readonly clock: Clock;
}

const NO_QUERY = new URLSearchParams();

/** Finds out who uses the control API. Credentials come in the Authorization header only: URLs end up in logs. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * @param authorization the header's value; without it, the principal is anonymous
   * @returns undefined where a credential was shown that isn't good
   * @throws {ApiError} where it can't be checked now
   */
  async principalOf(authorization: string | undefined): Promise<Principal | undefined> {
    if (authorization === undefined) return ANONYMOUS;
    const { token, user, password } = credentialsOf(NO_QUERY, authorization);
    if (token !== undefined) return this.#byToken(token);
    if (user === undefined || password === undefined) return undefined;
    const known = await this.checkPassword(user, password);
    return known === undefined ? undefined : principalOfUser(known);
  }

  /** @throws {ApiError} 503 where too many passwords are being tried */
  async checkPassword(name: string, password: string): Promise<User | undefined> {
    try {
      return await this.#options.passwords.verify(name, password);
    } catch (error) {
      if (error instanceof BusyError) throw new ApiError(503, 'busy', error.message);
      throw error;
    }
  }

  async #byToken(token: string): Promise<Principal | undefined> {
    const { settings, accessTokens, users, oidc } = this.#options;
    if (sameSecret(token, settings().token)) {
      return { kind: 'api-token', name: 'api-token', scopes: SCOPES_OF.admin };
    }
    const byKey = this.#byApiKey(token);
    if (byKey !== undefined) return byKey;
    const login = await accessTokens.read(token);
    if (login !== undefined) {
      const user = users.get(login.userId);
      const isValid = user !== undefined && !user.disabled && (login.issuedAt + 1) * 1000 > user.tokensValidFrom;
      return isValid ? principalOfUser(user) : undefined;
    }
    const claimed = await oidc.read(token);
    if (claimed === undefined) return undefined;
    return { kind: 'oidc', name: `oidc:${claimed.name}`, scopes: SCOPES_OF[claimed.role] };
  }

  #byApiKey(token: string): Principal | undefined {
    const hash = hashKey(token);
    const key = this.#options.apiKeys.find((candidate) => candidate.hash === hash);
    if (key === undefined) return undefined;
    if (key.expiresAt !== undefined && key.expiresAt <= this.#options.clock.wall()) return undefined;
    return { kind: 'api-key', name: `api-key:${key.label}`, scopes: new Set(key.scopes) };
  }
}

/** Compares hashes, so that neither time nor length tells anything. */
function sameSecret(shown: string, secret: string | undefined): boolean {
  return secret !== undefined && timingSafeEqual(Buffer.from(hashKey(shown)), Buffer.from(hashKey(secret)));
}
