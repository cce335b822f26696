import type { Clock } from '../../clock.js';
import { Refusal } from '../../errors.js';
import type { Identity } from '../session.js';
import { type CheckedRequest, type CredentialCheck, credentialName } from './credential-check.js';
import { checkGrant } from './grant.js';
import { readSignedUrl } from './signed-url.js';
import { millisFromUnixSeconds } from './unix-time.js';

/** Signed URLs: `?sign=`. */
export class SignedUrlCheck implements CredentialCheck {
  readonly #secret: () => string;
  readonly #clock: Clock;

  constructor(options: { secret: () => string; clock: Clock }) {
    this.#secret = options.secret;
    this.#clock = options.clock;
  }

  async verify(request: CheckedRequest): Promise<Identity | undefined> {
    const { sign } = request.credentials;
    if (sign === undefined) return undefined;
    const grant = readSignedUrl(this.#secret(), sign);
    if (grant === undefined) throw new Refusal('credential-invalid', 'the signature of the URL is wrong');
    const { action, path, id, urlExpire, streamExpire, ip } = grant;
    checkGrant({ name: 'the signed URL', actions: [action], paths: [path], network: ip }, request);
    const now = this.#clock.wall();
    const expiresAt = streamExpire === undefined ? undefined : millisFromUnixSeconds(streamExpire);
    if (millisFromUnixSeconds(urlExpire) <= now || (expiresAt !== undefined && expiresAt <= now)) {
      throw new Refusal('credential-expired', 'the signed URL has expired');
    }
    return { kind: 'signed-url', viewer: id, credential: credentialName(sign), expiresAt, network: ip };
  }
}
