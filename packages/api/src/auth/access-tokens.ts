import type { Clock, User } from '@sluice/core';
import { jwtVerify, SignJWT } from 'jose';

const ISSUER = 'sluice';
const AUDIENCE = 'sluice-control';
const ALGORITHM = 'HS256';

/** The short-lived tokens that a login gives. */
export class AccessTokens {
  readonly #secret: Uint8Array;
  readonly #clock: Clock;

  /** @param options.secret this server's own */
  constructor(options: { secret: string; clock: Clock }) {
    this.#secret = new TextEncoder().encode(options.secret);
    this.#clock = options.clock;
  }

  make(user: User, seconds: number): Promise<string> {
    const now = Math.floor(this.#clock.wall() / 1000);
    return new SignJWT({})
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setSubject(user.id)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + seconds)
      .sign(this.#secret);
  }

  /** @returns whose it is and when it was made (Unix seconds); undefined where it is not ours or has expired */
  async read(token: string): Promise<{ readonly userId: string; readonly issuedAt: number } | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(this.#clock.wall()),
        requiredClaims: ['sub', 'iat', 'exp'],
      });
      return { userId: payload.sub ?? '', issuedAt: payload.iat ?? 0 };
    } catch {
      return undefined;
    }
  }
}
