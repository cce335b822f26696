import { createHmac } from 'node:crypto';

export interface TurnCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Credentials of a relay that hold for a time, made from a secret that the relay shares: what coturn calls
 * `use-auth-secret`, draft-uberti-behave-turn-rest-00 §2.2.
 *
 * @param options.id who they are for; no `:` in it
 * @param options.expiresAt seconds since 1970
 */
export function turnCredentials(options: {
  readonly secret: string;
  readonly id: string;
  readonly expiresAt: number;
}): TurnCredentials {
  const username = `${options.expiresAt}:${options.id}`;
  return { username, password: createHmac('sha1', options.secret).update(username).digest('base64') };
}
