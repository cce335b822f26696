import { createHmac } from 'node:crypto';

/** The header that proves that a callback came from here. */
export const SIGNATURE_HEADER = 'sluice-signature';

/**
 * The value of `Sluice-Signature`: HMAC-SHA256 over time and body.
 *
 * @param seconds since 1970; receivers refuse what is too old to be fresh
 * @param body exactly as it is sent
 */
export function signatureOf(secret: string, seconds: number, body: string): string {
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${mac}`;
}
