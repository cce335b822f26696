import type { Millis } from '@sluice/media';
import { SignJWT } from 'jose';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { makeCdnToken } from './cdn-token.js';
import { signUrl } from './signed-url.js';
import { millisFromUnixSeconds, unixSeconds } from './unix-time.js';
import { makeWmsAuth } from './wms-auth.js';

export const TOKEN_KINDS = ['sign', 'jwt', 'wms-auth', 'cdn'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** What a token is to grant. */
export interface TokenGrant {
  readonly action: 'publish' | 'play';
  /** A pattern of stream paths. */
  readonly path: string;
  readonly viewer?: string | undefined;
  /** The address or CIDR block from which it holds. */
  readonly ip?: string | undefined;
  /** How long a session can begin with it. */
  readonly validSeconds: number;
  /** After which time, from now on, its sessions end; undefined: `jwt`'s with the token, the others' never. */
  readonly sessionSeconds?: number | undefined;
}

export interface IssuedToken {
  /** The name under which it goes into a URL: `?sign=…`. `path`: it goes in front of the path. */
  readonly parameter: 'sign' | 'token' | 'wmsAuthSign' | 'path';
  readonly value: string;
  /** After which no session can begin with it. */
  readonly expiresAt: Millis;
}

/** A token that can't be made. */
export class IssueError extends Error {
  override readonly name = 'IssueError';
}

/** Makes the tokens that this server takes. */
export class TokenIssuer {
  readonly #auth: () => Config['auth'];
  readonly #signingSecret: () => string;
  readonly #clock: Clock;

  constructor(options: { auth: () => Config['auth']; signingSecret: () => string; clock: Clock }) {
    this.#auth = options.auth;
    this.#signingSecret = options.signingSecret;
    this.#clock = options.clock;
  }

  /** @throws {IssueError} naming what is not set, or not possible with this kind */
  async issue(kind: TokenKind, grant: TokenGrant): Promise<IssuedToken> {
    switch (kind) {
      case 'sign':
        return this.sign(grant);
      case 'jwt':
        return this.#jwt(grant);
      case 'wms-auth':
        return this.#wmsAuth(grant);
      case 'cdn':
        return this.#cdn(grant);
    }
  }

  /** A signed URL's, which needs no waiting. */
  sign({ action, path, viewer, ip, validSeconds, sessionSeconds }: TokenGrant): IssuedToken {
    const now = unixSeconds(this.#clock.wall());
    const urlExpire = now + validSeconds;
    const streamExpire = sessionSeconds === undefined ? undefined : now + sessionSeconds;
    const value = signUrl(this.#signingSecret(), { action, path, id: viewer, urlExpire, streamExpire, ip });
    return { parameter: 'sign', value, expiresAt: millisFromUnixSeconds(urlExpire) };
  }

  async #jwt({ action, path, viewer, ip, validSeconds, sessionSeconds }: TokenGrant): Promise<IssuedToken> {
    const { secret, issuer, audience } = this.#auth().jwt;
    if (secret === undefined) {
      throw new IssueError('auth.jwt.secret is not set; without it this server takes tokens but makes none');
    }
    if (sessionSeconds !== undefined && sessionSeconds !== validSeconds) {
      throw new IssueError(
        'a JWT ends its sessions when it expires itself; leave the session length away, or use sign',
      );
    }
    const now = unixSeconds(this.#clock.wall());
    const token = new SignJWT({ actions: [action], paths: [path], ...(ip === undefined ? {} : { ip }) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt(now)
      .setExpirationTime(now + validSeconds);
    if (viewer !== undefined) token.setSubject(viewer);
    if (issuer !== undefined) token.setIssuer(issuer);
    if (audience !== undefined) token.setAudience(audience);
    const value = await token.sign(new TextEncoder().encode(secret));
    return { parameter: 'token', value, expiresAt: millisFromUnixSeconds(now + validSeconds) };
  }

  #cdn({ action, path, viewer, ip, validSeconds, sessionSeconds }: TokenGrant): IssuedToken {
    const { secret } = this.#auth().cdn;
    if (secret === undefined) throw new IssueError('auth.cdn.secret is not set');
    if (action !== 'play') throw new IssueError('a CDN token is for watching only');
    if (viewer !== undefined || ip !== undefined || sessionSeconds !== undefined) {
      throw new IssueError('a CDN token names no viewer and no address, and ends with its time; use sign');
    }
    if (path.replace(/\/\*$/, '').includes('*')) {
      throw new IssueError(`a CDN token is for one stream, or for all of an app (live/*), and not for ${path}`);
    }
    const expires = unixSeconds(this.#clock.wall()) + validSeconds;
    return {
      parameter: 'path',
      value: makeCdnToken(secret, { path, expires }),
      expiresAt: millisFromUnixSeconds(expires),
    };
  }

  #wmsAuth({ action, viewer, ip, validSeconds, sessionSeconds }: TokenGrant): IssuedToken {
    const { key } = this.#auth().wmsAuth;
    if (key === undefined) throw new IssueError('auth.wmsAuth.key is not set');
    if (action !== 'play') throw new IssueError('a WMSAuth token is for watching only');
    if (sessionSeconds !== undefined) throw new IssueError('a WMSAuth token ends no session; use sign');
    if (ip?.includes('/')) throw new IssueError('a WMSAuth token can be bound to one address only; use sign');
    const now = this.#clock.wall();
    const validMinutes = Math.max(1, Math.ceil(validSeconds / 60));
    const value = makeWmsAuth(key, { id: viewer, ip, validMinutes, serverTime: now });
    return { parameter: 'wmsAuthSign', value, expiresAt: (now + validMinutes * 60_000) as Millis };
  }
}
