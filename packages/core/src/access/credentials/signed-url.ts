import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a signed URL grants. Times are Unix seconds. */
export interface SignedGrant {
  readonly action: 'publish' | 'play';
  /** A pattern of stream paths. */
  readonly path: string;
  /** The viewer's account. */
  readonly id?: string | undefined;
  /** No session begins after this. */
  readonly urlExpire: number;
  /** Every session ends then. */
  readonly streamExpire?: number | undefined;
  /** The address or CIDR block from which it holds. */
  readonly ip?: string | undefined;
}

/**
 * Makes the value of `?sign=`: the grant's fields in the order below, as a query string in base64url, a dot, and their
 * HMAC-SHA256 in base64url.
 */
export function signUrl(secret: string, grant: SignedGrant): string {
  const fields = new URLSearchParams({ action: grant.action, path: grant.path });
  if (grant.id !== undefined) fields.set('id', grant.id);
  fields.set('url_expire', String(grant.urlExpire));
  if (grant.streamExpire !== undefined) fields.set('stream_expire', String(grant.streamExpire));
  if (grant.ip !== undefined) fields.set('ip', grant.ip);
  const payload = Buffer.from(fields.toString()).toString('base64url');
  return `${payload}.${macOf(secret, payload).toString('base64url')}`;
}

/** Reads the value of `?sign=`. Nothing of it is looked at before its MAC is. @returns undefined where it is not ours */
export function readSignedUrl(secret: string, sign: string): SignedGrant | undefined {
  const [payload = '', mac = '', ...rest] = sign.split('.');
  const expected = macOf(secret, payload);
  const shown = Buffer.from(mac, 'base64url');
  // Base64 has several spellings of the same bytes; only ours is taken, so that a ban of a token holds.
  const isOurs = rest.length === 0 && shown.toString('base64url') === mac;
  if (!isOurs || shown.length !== expected.length || !timingSafeEqual(shown, expected)) return undefined;
  const fields = new URLSearchParams(Buffer.from(payload, 'base64url').toString());
  const action = fields.get('action');
  const path = fields.get('path');
  const urlExpire = Number(fields.get('url_expire') ?? Number.NaN);
  const streamExpire = fields.has('stream_expire') ? Number(fields.get('stream_expire')) : undefined;
  if ((action !== 'publish' && action !== 'play') || path === null) return undefined;
  if (!Number.isFinite(urlExpire) || (streamExpire !== undefined && !Number.isFinite(streamExpire))) return undefined;
  const id = fields.get('id') ?? undefined;
  return { action, path, id, urlExpire, streamExpire, ip: fields.get('ip') ?? undefined };
}

function macOf(secret: string, payload: string): Buffer {
  return createHmac('sha256', secret).update(payload).digest();
}
