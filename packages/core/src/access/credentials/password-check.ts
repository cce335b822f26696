import type { Directory } from '../../accounts/directory.js';
import { BusyError, type PasswordVerifier } from '../../accounts/password-verifier.js';
import type { User } from '../../accounts/records.js';
import { Refusal } from '../../errors.js';
import type { Identity } from '../session.js';
import type { CheckedRequest, CredentialCheck } from './credential-check.js';
import { checkGrant } from './grant.js';

/** User and password: `Authorization: Basic`, or `?user=` and `?pass=`. */
export class PasswordCheck implements CredentialCheck {
  readonly #users: Directory<User>;
  readonly #verifier: PasswordVerifier;

  constructor(options: { users: Directory<User>; verifier: PasswordVerifier }) {
    this.#users = options.users;
    this.#verifier = options.verifier;
  }

  async verify(request: CheckedRequest): Promise<Identity | undefined> {
    const { user: name, password } = request.credentials;
    if (name === undefined || password === undefined) return undefined;
    const user = await this.#userOf(name, password);
    if (user === undefined) throw new Refusal('credential-invalid', 'user or password is wrong');
    const paths = request.action === 'play' ? user.play : user.publish;
    checkGrant({ name: `user ${user.name}`, actions: ['publish', 'play'], paths }, request);
    return { kind: 'password', viewer: user.name, credential: user.id };
  }

  /** Who was deleted or disabled has to go. */
  stillHolds({ kind, credential }: Identity): boolean {
    if (kind !== 'password') return true;
    const user = this.#users.get(credential ?? '');
    return user !== undefined && !user.disabled;
  }

  async #userOf(name: string, password: string): Promise<User | undefined> {
    try {
      return await this.#verifier.verify(name, password);
    } catch (error) {
      if (error instanceof BusyError) throw new Refusal('too-many-failures', error.message, { cause: error });
      throw error;
    }
  }
}
