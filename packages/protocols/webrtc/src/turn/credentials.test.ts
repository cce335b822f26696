import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { turnCredentials } from './credentials.js';

it('makes the credentials that OpenSSL makes of the same', () => {
  const secret = 'a secret for TURN';
  const { username, password } = turnCredentials({ secret, id: 'live/show', expiresAt: 1_900_000_000.7 });
  expect(username).toBe('1900000000:live/show');
  const tag = execFileSync('openssl', ['dgst', '-sha1', '-hmac', secret, '-binary'], { input: username });
  expect(password).toBe(tag.toString('base64'));
});
