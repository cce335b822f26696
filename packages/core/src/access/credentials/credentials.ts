/** What a peer shows at the door, wherever its protocol lets it. Nothing here has been checked. */
export interface Credentials {
  /** A stream key: `?key=`. */
  readonly key?: string | undefined;
  /** A JWT: `Authorization: Bearer`, `?token=` or `?jwt=`. */
  readonly token?: string | undefined;
  /** A signed URL's proof: `?sign=`. */
  readonly sign?: string | undefined;
  /** A WMSAuth token: `?wmsAuthSign=`. */
  readonly wmsAuth?: string | undefined;
  /** `Authorization: Basic`, or `?user=` and `?pass=`. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** The names in a query whose values are secrets. */
export const CREDENTIAL_PARAMETERS = ['key', 'token', 'jwt', 'sign', 'wmsAuthSign', 'user', 'pass'] as const;

/** Longer than any token of a sane issuer; what is longer isn't looked at. */
const MAX_CREDENTIAL_LENGTH = 8192;

/**
 * Reads credentials off a request.
 *
 * @param authorization the header's value, where the protocol has one; it wins over the query
 */
export function credentialsOf(query: URLSearchParams, authorization?: string): Credentials {
  const header = authorization === undefined ? {} : parseAuthorization(authorization);
  return {
    key: parameter(query, 'key'),
    token: header.token ?? parameter(query, 'token') ?? parameter(query, 'jwt'),
    sign: parameter(query, 'sign'),
    wmsAuth: parameter(query, 'wmsAuthSign'),
    user: header.user ?? parameter(query, 'user'),
    password: header.password ?? parameter(query, 'pass'),
  };
}

/** Whether anything was shown at all. */
export function hasCredentials(credentials: Credentials): boolean {
  return Object.values(credentials).some((value) => value !== undefined);
}

function parameter(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' || value.length > MAX_CREDENTIAL_LENGTH ? undefined : value;
}

/** RFC 6750 §2.1 (Bearer) and RFC 7617 §2 (Basic). */
function parseAuthorization(header: string): Pick<Credentials, 'token' | 'user' | 'password'> {
  if (header.length > MAX_CREDENTIAL_LENGTH) return {};
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([^ ]+) *$/.exec(header) ?? [];
  if (/^bearer$/i.test(scheme)) return { token: value };
  if (!/^basic$/i.test(scheme)) return {};
  const text = Buffer.from(value, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? {} : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
