import { type Clock, type Config, isRole, type Logger, messageOf, type Role } from '@sluice/core';
import { createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';

type OidcSettings = Config['api']['oidc'];

const TIMEOUT_MS = 5000;
const discoverySchema = z.object({ jwks_uri: z.url() });

/** Takes the bearer tokens of an OpenID Connect issuer, checked by its published keys. */
export class Oidc {
  readonly #settings: () => OidcSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  #known: { readonly source: string; readonly keys: Promise<JWTVerifyGetKey> } | undefined;

  constructor(options: { settings: () => OidcSettings; clock: Clock; log: Logger }) {
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** @returns who it is and the highest role that the token names; undefined where the token isn't good here */
  async read(token: string): Promise<{ readonly name: string; readonly role: Role } | undefined> {
    const { issuer, audience, roleClaim, jwksUrl } = this.#settings();
    if (issuer === undefined) return undefined;
    try {
      const keys = await this.#keysOf(issuer, jwksUrl);
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256', 'ES256'],
        issuer,
        currentDate: new Date(this.#clock.wall()),
        requiredClaims: ['sub', 'exp'],
        ...(audience === undefined ? {} : { audience }),
      });
      const role = roleOf(payload, roleClaim);
      return role === undefined ? undefined : { name: String(payload.sub), role };
    } catch (error) {
      this.#log.debug({ detail: messageOf(error) }, 'a bearer token was not taken');
      return undefined;
    }
  }

  #keysOf(issuer: string, jwksUrl: string | undefined): Promise<JWTVerifyGetKey> {
    const source = jwksUrl ?? issuer;
    if (this.#known?.source === source) return this.#known.keys;
    const keys = (jwksUrl === undefined ? discover(issuer) : Promise.resolve(jwksUrl)).then((url) =>
      createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS }),
    );
    this.#known = { source, keys };
    // A discovery that failed is tried again with the next token.
    keys.catch(() => {
      if (this.#known?.keys === keys) this.#known = undefined;
    });
    return keys;
  }
}

/** OpenID Connect Discovery 1.0 §4. */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return discoverySchema.parse(await response.json()).jwks_uri;
}

function roleOf(payload: JWTPayload, claim: string): Role | undefined {
  const value = claim
    .split('.')
    .reduce<unknown>((branch, name) => (branch as Record<string, unknown> | undefined)?.[name], payload);
  const named = Array.isArray(value) ? value : [value];
  const roles = named.filter(isRole);
  return (['admin', 'operator', 'viewer'] as const).find((role) => roles.includes(role));
}
