import { z } from 'zod';
import { parseNetwork } from '../../access/network.js';
import { parseIceUrl } from '../ice-url.js';

/** Takes effect when the server starts. All else is applied while it runs. */
export const START = { restart: true } as const;
/** Never shown. */
export const SECRET = { secret: true } as const;

export const port = (value: number) => z.number().int().min(0).max(65535).default(value).meta(START);
export const host = (value = '::') => z.string().min(1).default(value).meta(START);
export const seconds = (value: number, max: number) => z.number().min(0).max(max).default(value);
export const count = (value: number, max: number) => z.number().int().min(1).max(max).default(value);

/** Bytes of something that can be without a bound: 0. */
export const bytes = () =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 50)
    .default(0);

/** In the environment: values with commas between them. */
export const list = <T extends z.ZodType>(item: T, allowed: string) =>
  z.array(item).max(10_000).default([]).meta({ allowed });
export const networks = () =>
  list(
    z.string().refine((text) => parseNetwork(text) !== undefined, { error: 'an address or a CIDR block is allowed' }),
    'addresses and CIDR blocks',
  );
export const url = (...schemes: string[]) => {
  const allowed = `URL (${schemes.join(', ')})`;
  const fits = (text: string) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1));
  return z
    .string()
    .refine(fits, { error: `allowed: ${allowed}` })
    .meta({ allowed });
};
export const httpUrl = () => url('http', 'https');
export const urls = () => list(httpUrl(), 'URLs (http, https)');
export const secret = (shortest: number) => z.string().min(shortest).optional().meta(SECRET);
export const file = () => z.string().min(1).optional();
export const iceUrl = (...schemes: string[]) => {
  const fits = (text: string) => schemes.includes(parseIceUrl(text)?.scheme ?? '');
  return z.string().refine(fits, { error: `allowed: URL (${schemes.join(', ')}), as in ${schemes.at(-1)}:host:port` });
};

/** As a policy (CSP, `frame-ancestors`) names the sites that may have a page in a frame. */
const EMBED_ORIGIN = /^(?:\*|https?:\/\/(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::(?:\d{1,5}|\*))?)$/i;
export const embedOrigin = () =>
  z.string().regex(EMBED_ORIGIN, { error: 'allowed: https://example.org, https://*.example.org, or *' });

export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;
