import { createHash } from 'node:crypto';
import { isSince, type Skin } from '../skin.js';

export type ChecksumAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** An algorithm is told by how many hexadecimal digits there are. */
const BY_LENGTH: Readonly<Record<number, ChecksumAlgorithm>> = {
  40: 'sha1',
  64: 'sha256',
  96: 'sha384',
  128: 'sha512',
};

/** What a generation takes if it isn't configured otherwise. */
export function algorithmsOf(skin: Skin): readonly ChecksumAlgorithm[] {
  return isSince(skin, '2.7') ? ['sha1', 'sha256', 'sha384', 'sha512'] : ['sha1', 'sha256'];
}

/** Hash of a call. @param query as it is sent, without the checksum */
export function checksum(algorithm: ChecksumAlgorithm, call: string, query: string, secret: string): string {
  return createHash(algorithm).update(`${call}${query}${secret}`).digest('hex');
}

/** Whether a call is signed with the secret, by an algorithm that is allowed. @param query byte for byte as it came */
export function isSigned(
  call: string,
  query: string,
  { secret, algorithms }: { secret: string; algorithms: readonly ChecksumAlgorithm[] },
): boolean {
  const parameters = query.split('&');
  const given = parameters.find((one) => one.startsWith('checksum='))?.slice('checksum='.length) ?? '';
  const algorithm = BY_LENGTH[given.length];
  if (algorithm === undefined || !algorithms.includes(algorithm)) return false;
  const rest = parameters.filter((one) => !one.startsWith('checksum=')).join('&');
  return given.toLowerCase() === checksum(algorithm, call, rest, secret);
}
