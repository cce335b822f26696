import { WebRtcError } from '../errors.js';

/** RFC 5246 §7.2 */
export const LEVEL = { warning: 1, fatal: 2 } as const;
export const ALERT = {
  closeNotify: 0,
  handshakeFailure: 40,
  badCertificate: 42,
  decryptError: 51,
  noRenegotiation: 100,
} as const;

/** The handshake failed, with the alert that the peer is told. */
export class HandshakeFailure extends WebRtcError {
  readonly alert: number;

  constructor(alert: number, message: string) {
    super('not-authentic', message);
    this.alert = alert;
  }
}
