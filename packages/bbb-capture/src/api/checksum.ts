import { createHash } from 'node:crypto';

/** How requests may be signed, in the order in which `auto` tries them. BBB below 2.5 knows sha1 and sha256 only. */
export const CHECKSUM_ALGORITHMS = ['sha256', 'sha512', 'sha1', 'sha384'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** What a checksum is made of. */
export interface Signed {
  /** Of the call, as in the URL: `getMeetingInfo`. */
  readonly call: string;
  /** Exactly as it is sent, without the checksum. */
  readonly query: string;
  readonly secret: string;
}

/** The checksum of a request, in hexadecimal: the hash of call, query and secret, one behind the other. */
export function checksumOf(algorithm: ChecksumAlgorithm, { call, query, secret }: Signed): string {
  return createHash(algorithm).update(call).update(query).update(secret).digest('hex');
}
