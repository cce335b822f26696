import type { Clock } from '../../clock.js';
import type { Config } from '../../config/schema.js';
import { Refusal } from '../../errors.js';
import type { Identity } from '../session.js';
import { type CheckedRequest, type CredentialCheck, credentialName } from './credential-check.js';
import { readWmsAuth, wmsAuthIdentity } from './wms-auth.js';

const MINUTE_MS = 60_000;

/** WMSAuth tokens: `?wmsAuthSign=`. They are for watching. */
export class WmsAuthCheck implements CredentialCheck {
  readonly #settings: () => Config['auth']['wmsAuth'];
  readonly #clock: Clock;

  constructor(options: { settings: () => Config['auth']['wmsAuth']; clock: Clock }) {
    this.#settings = options.settings;
    this.#clock = options.clock;
  }

  async verify(request: CheckedRequest): Promise<Identity | undefined> {
    const { wmsAuth } = request.credentials;
    const { key, toleranceSeconds } = this.#settings();
    if (wmsAuth === undefined) return undefined;
    if (key === undefined) {
      throw new Refusal('credential-invalid', 'WMSAuth tokens are not taken here: auth.wmsAuth.key is not set');
    }
    const grant = readWmsAuth(key, wmsAuth, request.ip);
    if (grant === undefined) throw new Refusal('credential-invalid', 'the WMSAuth token is wrong');
    if (request.action !== 'play') throw new Refusal('credential-invalid', 'a WMSAuth token is for watching only');
    const now = this.#clock.wall();
    const tolerance = toleranceSeconds * 1000;
    if (grant.serverTime - tolerance > now) {
      throw new Refusal('credential-invalid', "the WMSAuth token is from the future: check the issuer's clock");
    }
    if (grant.serverTime + grant.validMinutes * MINUTE_MS + tolerance <= now) {
      throw new Refusal('credential-expired', 'the WMSAuth token has expired');
    }
    return {
      kind: 'wms-auth',
      viewer: grant.id,
      credential: credentialName(wmsAuthIdentity(wmsAuth)),
      network: grant.ip,
    };
  }
}
