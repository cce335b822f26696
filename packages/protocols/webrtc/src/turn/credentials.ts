import { createHmac } from 'node:crypto';

/** What a TURN server is shown, RFC 8489 §9.2. */
export interface TurnCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Makes credentials that a TURN server verifies by a secret that it shares with us, and which end by themselves
 * (draft-uberti-behave-turn-rest §2.2; `use-auth-secret` of coturn).
 *
 * @param options.secret `static-auth-secret` of the TURN server
 * @param options.id whose they are, for its log
 * @param options.expiresAt seconds since 1970
 */
export function turnCredentials(options: {
  readonly secret: string;
  readonly id: string;
  readonly expiresAt: number;
}): TurnCredentials {
  const { secret, id, expiresAt } = options;
  const username = `${Math.floor(expiresAt)}:${id}`;
  return { username, password: createHmac('sha1', secret).update(username).digest('base64') };
}
