import { z } from 'zod';
import { networks, SECRET } from './fields.js';

/** Where a CDN stands between this server and its viewers. */
export const httpOrigin = z.strictObject({
  allow: networks().describe(
    'Addresses and CIDR blocks that may ask the HTTP port at all: those of a CDN. Empty: all.',
  ),
  secretHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'a header is letters, digits and hyphens' })
    .default('X-Origin-Secret')
    .meta({ allowed: 'a header' })
    .describe('Header in which the CDN shows one of `http.origin.secrets`.'),
  secrets: z
    .array(
      z
        .string()
        .min(16)
        .regex(/^[!-~]+$/, { error: 'it goes into a header: ASCII without spaces' }),
    )
    .max(10)
    .default([])
    .meta({ ...SECRET, allowed: 'texts of 16 characters or more' })
    .describe(
      'Secrets, 16 characters or more, of which the CDN shows one with each request; others are answered 403. Two, while one takes the place of the other. Empty: none is asked for.',
    ),
});
