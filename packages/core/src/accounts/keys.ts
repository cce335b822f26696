import { createHash, randomBytes } from 'node:crypto';

/** 160 bits, in letters that survive any URL and any form field. */
export function makeKey(prefix: string): string {
  return `${prefix}_${randomBytes(20).toString('hex')}`;
}

/** How keys are kept. They are random and long, so that a fast hash is enough and a lookup by hash leaks nothing. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
