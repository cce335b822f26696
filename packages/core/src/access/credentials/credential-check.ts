import { createHash } from 'node:crypto';
import { Refusal } from '../../errors.js';
import type { StreamPath } from '../../stream-path.js';
import type { AccessRequest } from '../request.js';
import type { Identity } from '../session.js';
import { hasCredentials } from './credentials.js';
import type { FailureLimiter } from './failure-limiter.js';

/** A request whose path is inside the grammar. */
export interface CheckedRequest extends AccessRequest {
  readonly path: StreamPath;
}

/** Knows one kind of credential. */
export interface CredentialCheck {
  /**
   * @returns undefined where nothing of this kind was shown, or this kind isn't configured
   * @throws {Refusal} `credential-invalid`, `credential-expired` or `too-many-failures`, where it was shown and doesn't
   *   hold; `callback-failed` where nobody could tell
   */
  verify(request: CheckedRequest): Promise<Identity | undefined>;
  /** Whether an identity that this check gave still holds: false for a key that was revoked, say. */
  stillHolds?(identity: Identity): boolean;
}

/** Asks each kind in turn; the first that is satisfied decides. */
export class CredentialChecks {
  readonly #checks: readonly CredentialCheck[];
  readonly #failures: FailureLimiter | undefined;
  readonly #deciderOf: (request: CheckedRequest) => CredentialCheck | undefined;

  /**
   * @param failures counts wrong credentials; an address with too many of them is asked for none
   * @param deciderOf the one who decides about a request in place of all others, where there is one
   */
  constructor(
    checks: readonly CredentialCheck[],
    failures?: FailureLimiter,
    deciderOf: (request: CheckedRequest) => CredentialCheck | undefined = () => undefined,
  ) {
    this.#checks = checks;
    this.#failures = failures;
    this.#deciderOf = deciderOf;
  }

  /**
   * @throws {Refusal} of the first credential that was shown and doesn't hold, `credential-missing`, or
   *   `too-many-failures`
   */
  async verify(request: CheckedRequest): Promise<Identity> {
    const decider = this.#deciderOf(request);
    if (decider !== undefined || hasCredentials(request.credentials)) this.#failures?.check(request.ip);
    let refusal: Refusal | undefined;
    for (const check of decider === undefined ? this.#checks : [decider]) {
      try {
        const identity = await check.verify(request);
        if (identity !== undefined) return identity;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refusal ??= error;
      }
    }
    const isWrong = refusal?.code === 'credential-invalid' || refusal?.code === 'origin-refused';
    if (isWrong) this.#failures?.failed(request.ip);
    throw refusal ?? new Refusal('credential-missing', `${request.path} needs a credential to ${request.action}`);
  }

  stillHolds(identity: Identity): boolean {
    return this.#checks.every((check) => check.stillHolds?.(identity) ?? true);
  }
}

/** Names a credential in sessions, bans and logs without giving it away. */
export function credentialName(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 24);
}

/** Names a JWT. Its signature is left out: base64url has several spellings of the same bytes, and a ban is to hold for all. */
export function jwtName(token: string): string {
  return credentialName(token.slice(0, token.lastIndexOf('.')));
}
