import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { messageOf, Refusal } from '../../errors.js';
import type { Logger } from '../../logger.js';
import { parseNetwork } from '../network.js';
import type { Identity } from '../session.js';
import { type CheckedRequest, type CredentialCheck, jwtName } from './credential-check.js';
import { checkGrant } from './grant.js';
import { millisFromUnixSeconds } from './unix-time.js';

type JwtSettings = Config['auth']['jwt'];

/** A key with the algorithms that it is for: a token never chooses. */
interface Verifier {
  readonly key: Uint8Array | KeyObject | JWTVerifyGetKey;
  readonly algorithms: readonly string[];
}

const JWKS_TIMEOUT_MS = 5000;
/** Between two looks for a key that isn't known. */
const JWKS_COOLDOWN_MS = 10_000;
const JWKS_MAX_AGE_MS = 600_000;

const claimsSchema = z.object({
  exp: z.number(),
  sub: z.string().max(255).optional(),
  ip: z
    .string()
    .refine((text) => parseNetwork(text) !== undefined)
    .optional(),
  actions: z.array(z.enum(['publish', 'play'])),
  paths: z.array(z.string().max(512)).max(1000),
});

/** JSON Web Tokens (RFC 7519): `Authorization: Bearer`, `?token=`, `?jwt=`. */
export class JwtCheck implements CredentialCheck {
  readonly #settings: () => JwtSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  #known: { readonly settings: JwtSettings; readonly verifiers: readonly Verifier[] } | undefined;

  constructor(options: { settings: () => JwtSettings; clock: Clock; log: Logger }) {
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  async verify(request: CheckedRequest): Promise<Identity | undefined> {
    const { token } = request.credentials;
    if (token === undefined) return undefined;
    const payload = await this.#payloadOf(token);
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) {
      const names = claims.error.issues.map(({ path }) => path[0]).join(', ');
      throw new Refusal('credential-invalid', `the token lacks a good claim: ${names}`);
    }
    const { actions, paths, ip, sub, exp } = claims.data;
    checkGrant({ name: 'the token', actions, paths, network: ip }, request);
    const expiresAt = millisFromUnixSeconds(exp);
    return { kind: 'jwt', viewer: sub, credential: jwtName(token), expiresAt, network: ip };
  }

  async #payloadOf(token: string): Promise<JWTPayload> {
    const settings = this.#settings();
    const verifiers = this.#verifiers(settings);
    if (verifiers.length === 0) {
      throw new Refusal('credential-invalid', 'tokens are not taken here: auth.jwt has no key');
    }
    const options: JWTVerifyOptions = {
      clockTolerance: settings.leewaySeconds,
      currentDate: new Date(this.#clock.wall()),
      ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
      ...(settings.audience === undefined ? {} : { audience: settings.audience }),
    };
    let refusal: Refusal | undefined;
    for (const { key, algorithms } of verifiers) {
      try {
        const limits = { ...options, algorithms: [...algorithms] };
        // jose has one signature for keys and one for functions that find them.
        const { payload } =
          typeof key === 'function' ? await jwtVerify(token, key, limits) : await jwtVerify(token, key, limits);
        return payload;
      } catch (error) {
        const found = refusalOf(error);
        // That a token has expired says more than that another key has not made it.
        if (refusal === undefined || found.code === 'credential-expired') refusal = found;
      }
    }
    throw refusal ?? new Refusal('credential-invalid', 'the token is wrong');
  }

  #verifiers(settings: JwtSettings): readonly Verifier[] {
    if (this.#known !== undefined && sameKeys(this.#known.settings, settings)) return this.#known.verifiers;
    const verifiers: Verifier[] = [];
    if (settings.secret !== undefined) {
      verifiers.push({ key: new TextEncoder().encode(settings.secret), algorithms: ['HS256'] });
    }
    if (settings.publicKeyFile !== undefined) {
      const verifier = this.#fromFile(settings.publicKeyFile);
      if (verifier !== undefined) verifiers.push(verifier);
    }
    if (settings.jwksUrl !== undefined) {
      const key = createRemoteJWKSet(new URL(settings.jwksUrl), {
        timeoutDuration: JWKS_TIMEOUT_MS,
        cooldownDuration: JWKS_COOLDOWN_MS,
        cacheMaxAge: JWKS_MAX_AGE_MS,
      });
      verifiers.push({ key, algorithms: ['RS256', 'ES256'] });
    }
    this.#known = { settings, verifiers };
    return verifiers;
  }

  #fromFile(file: string): Verifier | undefined {
    try {
      const key = createPublicKey(readFileSync(file));
      const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
      if (type === 'rsa') return { key, algorithms: ['RS256'] };
      if (details?.namedCurve === 'prime256v1') return { key, algorithms: ['ES256'] };
      throw new Error(`its key is of type ${details?.namedCurve ?? type}; RSA and EC P-256 are possible`);
    } catch (error) {
      this.#log.error(
        { detail: messageOf(error) },
        `auth.jwt.publicKeyFile ${file} can't be used: its tokens are refused`,
      );
      return undefined;
    }
  }
}

function sameKeys(a: JwtSettings, b: JwtSettings): boolean {
  return a.secret === b.secret && a.publicKeyFile === b.publicKeyFile && a.jwksUrl === b.jwksUrl;
}

/** jose's errors speak of keys and claims, never of the token's content. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) {
    return new Refusal('credential-expired', 'the token has expired', { cause: error });
  }
  const isOurs = error instanceof errors.JOSEError && error.code !== errors.JOSEError.code;
  const isOutage = error instanceof errors.JWKSTimeout || !isOurs;
  if (isOutage) return new Refusal('callback-failed', "the token issuer's keys can't be had", { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new Refusal('credential-invalid', `the token has not the right claim: ${error.claim}`, { cause: error });
  }
  return new Refusal('credential-invalid', 'the token is wrong', { cause: error });
}
