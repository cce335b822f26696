import { PATH_PATTERN, parseNetwork } from '@sluice/core';
import { z } from 'zod';

/** Times are ISO 8601 outside. */
export const time = z.string().describe('ISO 8601.');
export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));

/** A number in a query is text. */
export const numberInQuery = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
export const timeInQuery = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .describe('ISO 8601.');
export const limit = numberInQuery(1, 1000).default(100).describe('Most entries of the answer.');

export const streamPath = z.string().max(255).describe('app/name, as in live/show.');
export const pathPattern = z
  .string()
  .max(255)
  .regex(PATH_PATTERN, { error: 'a path pattern is app/name, where * stands for any part of a name' })
  .describe('A pattern of stream paths: live/*.');
export const network = z
  .string()
  .max(64)
  .refine((text) => parseNetwork(text) !== undefined, { error: 'an address or a CIDR block' })
  .describe('An address or a CIDR block.');
export const label = z.string().trim().min(1).max(200);
export const id = z.object({ id: z.string().max(100) }).strict();
/** A time to live. */
export const seconds = z.number().int().min(1).max(315_360_000);
