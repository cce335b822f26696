import { ObjectStoreError, type ObjectStoreErrorCode } from './errors.js';

/** What was asked, and of whom. */
export interface AskedOf {
  /** `to put live/show.mp4` */
  readonly wish: string;
  readonly bucket: string;
  readonly endpoint: string;
  /** What must not be shown, should a store's answer repeat it. */
  readonly secrets: readonly string[];
}

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Names of errors: of S3, of the SDK and of sockets. */
const CODES: Readonly<Record<string, ObjectStoreErrorCode>> = {
  AbortError: 'stopped',
  AccessDenied: 'refused',
  CredentialsProviderError: 'refused',
  ExpiredToken: 'refused',
  InvalidAccessKeyId: 'refused',
  InvalidToken: 'refused',
  RequestTimeTooSkewed: 'refused',
  SignatureDoesNotMatch: 'refused',
  NoSuchBucket: 'no-bucket',
  NoSuchKey: 'missing',
  NoSuchUpload: 'no-upload',
  SlowDown: 'busy',
  TimeoutError: 'unreachable',
  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EPIPE: 'unreachable',
  ETIMEDOUT: 'unreachable',
};

const ADVICE: Partial<Record<ObjectStoreErrorCode, string>> = {
  refused:
    "Check recording.s3.accessKeyId and secretAccessKey, the key's rights to the bucket (s3:PutObject, GetObject, DeleteObject, AbortMultipartUpload, ListBucket), and this machine's clock.",
  'no-bucket': 'Make the bucket, or correct recording.s3.bucket, region and endpoint.',
  unreachable: 'Check recording.s3.endpoint, and the network between.',
};

/** An error of the SDK as one of ours. Takes over none of its fields: they hold the request, with its credentials. */
export function explained(error: unknown, { wish, bucket, endpoint, secrets }: AskedOf): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const { name = '', code = '', message = '', $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  const kind = CODES[name] ?? CODES[code] ?? codeOfStatus(status) ?? codeOfMessage(message);
  if (kind === 'stopped') return new ObjectStoreError('stopped', `stopped: ${wish}`);
  const known = [name, message.includes(code) ? '' : code, message].filter(
    (text) => !/^(Error|Unknown|UnknownError)?$/.test(text),
  );
  const told = [...new Set(known), ...(status === undefined ? [] : [`HTTP ${status}`])].join(', ').slice(0, 400);
  const shown = secrets.reduce((text, secret) => text.replaceAll(secret, '…'), told);
  const advice = ADVICE[kind] === undefined ? '' : ` ${ADVICE[kind]}`;
  return new ObjectStoreError(
    kind,
    `The object store at ${endpoint}, bucket ${bucket}, was asked ${wish}, and the answer is: ${shown}.${advice}`,
  );
}

/** An answer to HEAD has no body, and so no name. */
function codeOfStatus(status: number | undefined): ObjectStoreErrorCode | undefined {
  if (status === 401 || status === 403) return 'refused';
  if (status === 404) return 'missing';
  return status === 429 || (status !== undefined && status >= 500) ? 'busy' : undefined;
}

function codeOfMessage(message: string): ObjectStoreErrorCode {
  return /socket hang up|certificate|altname|self.signed|unable to verify|EPROTO/i.test(message)
    ? 'unreachable'
    : 'failed';
}
