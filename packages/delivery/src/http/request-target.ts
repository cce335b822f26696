/** What a request line asks for. */
export interface RequestTarget {
  readonly pathname: string;
  readonly query: URLSearchParams;
}

/** Paths that mean themselves (nothing in them is escaped, empty or begins with a dot), and a query in ASCII. */
const PLAIN = /^((?:\/[\w~-][\w.~-]*)+)(\?[!"$-~]*)?$/;

/** Reads a target in origin form, RFC 9112 §3.2.1. @returns undefined for what can't be read */
export function readRequestTarget(target: string | undefined): RequestTarget | undefined {
  if (target === undefined || !target.startsWith('/')) return undefined;
  // Nearly all are of this kind, and a URL takes longer than the rest of a short answer.
  const [, pathname, query = ''] = PLAIN.exec(target) ?? [];
  if (pathname !== undefined) return { pathname, query: new URLSearchParams(query) };
  if (!URL.canParse(target, 'http://host')) return undefined;
  const url = new URL(target, 'http://host');
  return { pathname: url.pathname, query: url.searchParams };
}
