import { type Finding, failed, ok, warning } from '@sluice/core';
import type { ApiVersion } from '../api/answers.js';
import { BbbClient } from '../api/bbb-client.js';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../api/checksum.js';
import { BbbError } from '../api/errors.js';
import { SecretFileError } from '../api/secret-file.js';

export interface ApiOptions {
  readonly url: string;
  readonly secret: (() => Promise<string>) | undefined;
  readonly checksum: ChecksumAlgorithm | 'auto';
  readonly timeoutMs: number;
}

/** Whether an API answers without a signature, and which. */
export async function versionFindings({
  url,
  timeoutMs,
}: ApiOptions): Promise<{ version: ApiVersion | undefined; findings: Finding[] }> {
  const check = 'API, unsigned';
  try {
    const version = await new BbbClient({ url, checksum: 'auto', timeoutMs }).version();
    const server = version.server === undefined ? 'BigBlueButton' : `BigBlueButton ${version.server}`;
    return { version, findings: [ok(check, `${server}, API ${version.api}`)] };
  } catch (error) {
    if (!(error instanceof BbbError)) throw error;
    const advice = 'bbb.url is what `bbb-conf --secret` prints there, with api at its end.';
    return { version: undefined, findings: [failed(check, error.message, advice)] };
  }
}

/** Whether signed calls are taken; where not, whether the secret is wrong or the way of signing. */
export async function signedFindings({ url, secret, checksum, timeoutMs }: ApiOptions): Promise<Finding[]> {
  const check = 'API, signed';
  if (secret === undefined) {
    const advice = 'Set bbb.secretFile. Without it, captures need a link to join, and meetings can’t be waited for.';
    return [warning(check, 'not tried: there is no secret', advice)];
  }
  try {
    await secret();
  } catch (error) {
    if (!(error instanceof SecretFileError)) throw error;
    return [
      failed(check, error.message, 'bbb.secretFile is a file with the secret alone, readable by this user alone.'),
    ];
  }
  const taken: ChecksumAlgorithm[] = [];
  const refusals: BbbError[] = [];
  let meetings = 0;
  // One after the other: a server that is asked too much at a time may refuse for that.
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    try {
      meetings = (await new BbbClient({ url, secret, checksum: algorithm, timeoutMs }).getMeetings()).length;
      taken.push(algorithm);
    } catch (error) {
      if (!(error instanceof BbbError)) throw error;
      if (error.code !== 'wrong-secret') return [failed(check, error.message, "See BigBlueButton's log there.")];
      refusals.push(error);
    }
  }
  const [first] = refusals;
  if (taken.length === 0) {
    const advice = 'Write what `bbb-conf --secret` prints there into bbb.secretFile.';
    return [failed(check, `the secret is wrong (${first?.messageKey ?? 'refused'}), however it is signed`, advice)];
  }
  if (checksum !== 'auto' && !taken.includes(checksum)) {
    const found = `the secret is right, but ${checksum} is not taken there: ${taken.join(', ')} is`;
    return [failed(check, found, 'Set bbb.checksum to auto, or to one of these.')];
  }
  return [ok(check, `the secret is right; ${taken.join(', ')} taken; ${meetings} meetings now`)];
}
