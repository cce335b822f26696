import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Whether a request is signed by AWS Signature Version 4 with a key, in its header or its URL ("Authenticating
 * Requests", Amazon S3 API reference). Bodies are not looked at, only the hash that is told of them.
 */
export function isSigned({ method = '', url = '', headers }: IncomingMessage, secret: string): boolean {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const header = Object.fromEntries(
    (headers.authorization ?? '')
      .replace('AWS4-HMAC-SHA256 ', '')
      .split(', ')
      .map((field) => field.split('=', 2)),
  ) as Record<string, string | undefined>;
  const claim = (name: string) => header[name] ?? searchParams.get(`X-Amz-${name}`) ?? '';
  const [, ...scope] = claim('Credential').split('/');
  const signedHeaders = claim('SignedHeaders');
  const query = (url.split('?')[1] ?? '')
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='))
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort();
  const canonical = [
    method,
    pathname,
    query.join('&'),
    ...signedHeaders.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signedHeaders,
    headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
  const at = headers['x-amz-date'] ?? searchParams.get('X-Amz-Date');
  const digest = createHash('sha256').update(canonical).digest('hex');
  const key = scope.reduce<string | Buffer>((parent, name) => hmac(parent, name), `AWS4${secret}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', at, scope.join('/'), digest].join('\n'));
  return signature.toString('hex') === claim('Signature');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
