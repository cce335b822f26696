import type { StreamPath } from '../stream-path.js';

export const PULL_SCHEMES = ['srt', 'rtmp', 'rtmps', 'http', 'https'] as const;
export const PUSH_SCHEMES = ['srt', 'rtmp', 'rtmps'] as const;
export type RelayScheme = (typeof PULL_SCHEMES)[number];

const isScheme = (text: string): text is RelayScheme => PULL_SCHEMES.some((scheme) => scheme === text);

/** Shorter than this, a value is no secret, and may be part of any word. */
const SHORTEST_SECRET = 4;
const HIDDEN = '(hidden)';

/**
 * Where a stream is taken from, or given to: on another server. The URL may hold passwords, keys and tokens, so that it
 * shows itself without what could be one.
 */
export class RelayUrl {
  readonly scheme: RelayScheme;
  /** For people and logs: scheme, host and port. */
  readonly name: string;
  readonly #text: string;
  readonly #path: StreamPath;

  private constructor(text: string, scheme: RelayScheme, name: string, path: StreamPath) {
    this.#text = text;
    this.scheme = scheme;
    this.name = name;
    this.#path = path;
  }

  /**
   * @param template a URL in which `{app}` and `{name}` may stand for the path: the part before its first slash, and
   *   the part behind
   * @returns undefined for what is no URL, or one of another scheme
   */
  static of(template: string, path: StreamPath): RelayUrl | undefined {
    const [app = '', ...rest] = path.split('/');
    const text = template.replaceAll('{app}', app).replaceAll('{name}', rest.join('/'));
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const scheme = url?.protocol.slice(0, -1) ?? '';
    if (url === undefined || !isScheme(scheme)) return undefined;
    return new RelayUrl(text, scheme, `${scheme}://${url.host}`, path);
  }

  /** All of it: for the connection alone. */
  reveal(): string {
    return this.#text;
  }

  /**
   * The same with a viewer's query: behind the URL's own, or, over SRT, behind the stream id.
   *
   * @param query without a question mark; nothing is added where it is empty
   */
  withQuery(query: string): RelayUrl {
    if (query === '') return this;
    const text = this.scheme === 'srt' ? withStreamIdQuery(this.#text, query) : joined(this.#text, query);
    return new RelayUrl(text, this.scheme, this.name, this.#path);
  }

  /** Takes what may be secret out of what somebody else says of it. */
  redact(text: string): string {
    const { username, password, pathname, search, searchParams } = new URL(this.#text);
    const key = pathname.slice(pathname.lastIndexOf('/') + 1);
    const words = new Set(this.#path.split(/[/.]/));
    const values = [...searchParams.values()].flatMap((value) => [value, ...value.split(/[?&=,]/)]);
    const secrets = [...search.slice(1).split(/[&=]/), ...values, username, password, key]
      .flatMap((value) => [value, decoded(value)])
      .filter((value) => value.length >= SHORTEST_SECRET && !value.includes(this.#path) && !words.has(value))
      .sort((a, b) => b.length - a.length);
    const shown = text.replaceAll(this.#text, this.name);
    return secrets.reduce((told, secret) => told.replaceAll(secret, HIDDEN), shown);
  }

  toString(): string {
    return this.name;
  }

  toJSON(): string {
    return this.name;
  }
}

function joined(url: string, query: string): string {
  const [address = '', fragment] = url.split('#', 2);
  const both = `${address}${address.includes('?') ? '&' : '?'}${query}`;
  return fragment === undefined ? both : `${both}#${fragment}`;
}

/** `read:live/show?token=…`, or `#!::r=live/show,token=…`. */
function withStreamIdQuery(text: string, query: string): string {
  const url = new URL(text);
  const id = url.searchParams.get('streamid') ?? '';
  const isStructured = id.startsWith('#!::');
  const keys = [...new URLSearchParams(query)]
    .map(([key, value]) => `${key}=${value.replaceAll(',', '%2C')}`)
    .join(',');
  const parameter = `streamid=${encodeURIComponent(isStructured ? `${id},${keys}` : joined(id, query))}`;
  url.searchParams.delete('streamid');
  return joined(url.href, parameter);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
