import type { Directory } from '../../accounts/directory.js';
import { hashKey } from '../../accounts/keys.js';
import type { StreamKey } from '../../accounts/records.js';
import type { Clock } from '../../clock.js';
import { Refusal } from '../../errors.js';
import type { Identity } from '../session.js';
import type { CheckedRequest, CredentialCheck } from './credential-check.js';
import { checkGrant } from './grant.js';

/** Stream keys: `?key=`. */
export class StreamKeyCheck implements CredentialCheck {
  readonly #keys: Directory<StreamKey>;
  readonly #clock: Clock;

  constructor(options: { keys: Directory<StreamKey>; clock: Clock }) {
    this.#keys = options.keys;
    this.#clock = options.clock;
  }

  async verify(request: CheckedRequest): Promise<Identity | undefined> {
    const { key: shown } = request.credentials;
    if (shown === undefined) return undefined;
    const hash = hashKey(shown);
    const key = this.#keys.find((candidate) => candidate.hash === hash);
    if (key === undefined) throw new Refusal('credential-invalid', 'the stream key is wrong');
    checkGrant({ name: 'the stream key', actions: [key.action], paths: [key.path] }, request);
    if (key.expiresAt !== undefined && key.expiresAt <= this.#clock.wall()) {
      throw new Refusal('credential-expired', 'the stream key has expired');
    }
    return { kind: 'stream-key', credential: key.id, expiresAt: key.expiresAt };
  }

  /** A revoked key ends the sessions that it began. */
  stillHolds({ kind, credential }: Identity): boolean {
    return kind !== 'stream-key' || (credential !== undefined && this.#keys.get(credential) !== undefined);
  }
}
