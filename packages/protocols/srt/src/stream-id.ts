/** What a caller wants, as its stream id says. Nothing here has been checked against any grammar of names. */
export interface StreamRequest {
  readonly action: 'publish' | 'play';
  /** `app/stream`. */
  readonly path: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Everything else that it says, as a URL's query would. */
  readonly query: URLSearchParams;
}

const STANDARD_PREFIX = '#!::';
/** Keys of the standard form that are no parameters. */
const KNOWN_KEYS: ReadonlySet<string> = new Set(['r', 'm', 'h', 'u', 's', 't']);

/**
 * Reads a stream id in any of the forms that encoders and players use:
 *
 * - `#!::r=app/stream,m=publish,u=user,k=v` (SRT Access Control Guidelines; `m=request` where it says nothing)
 * - `publish:app/stream`, `read:app/stream`, with `:user:password` behind
 * - `app/stream`, with `?k=v` behind, to watch
 *
 * @returns undefined where there is no path in it, or a mode that is no such thing
 */
export function readStreamId(text: string): StreamRequest | undefined {
  if (text.startsWith(STANDARD_PREFIX)) return readStandard(text.slice(STANDARD_PREFIX.length));
  const [, mode, rest] = /^(publish|read|request|play):(.*)$/s.exec(text) ?? [];
  if (mode === undefined || rest === undefined) return withQuery('play', text);
  const [path = '', user, password] = rest.split(':');
  const request = withQuery(mode === 'publish' ? 'publish' : 'play', path);
  return request && { ...request, ...(user ? { user } : {}), ...(password ? { password } : {}) };
}

function readStandard(text: string): StreamRequest | undefined {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  const mode = fields.get('m') ?? 'request';
  if (mode !== 'publish' && mode !== 'request') return undefined;
  const request = withQuery(mode === 'publish' ? 'publish' : 'play', fields.get('r') ?? '');
  if (request === undefined) return undefined;
  for (const [key, value] of fields) if (!KNOWN_KEYS.has(key)) request.query.set(key, value);
  const user = fields.get('u');
  return user === undefined ? request : { ...request, user };
}

function withQuery(action: 'publish' | 'play', text: string): StreamRequest | undefined {
  const mark = text.indexOf('?');
  const path = (mark < 0 ? text : text.slice(0, mark)).replace(/^\//, '');
  if (path === '') return undefined;
  return { action, path, query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)) };
}
