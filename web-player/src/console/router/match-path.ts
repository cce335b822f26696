/** What a pattern's names stand for. */
export type Params = Readonly<Record<string, string>>;

/**
 * Whether a path fits a pattern: `/streams/*path` takes the rest, slashes and all; `/users/:id` takes one part.
 *
 * @returns what the names stand for, decoded; undefined where it doesn't fit
 */
export function matchPath(pattern: string, pathname: string): Params | undefined {
  const wanted = partsOf(pattern);
  const given = partsOf(pathname);
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith('*')) {
      const rest = decoded(given.slice(index).join('/'));
      if (rest === undefined || rest === '') return undefined;
      params[part.slice(1)] = rest;
      return params;
    }
    const value = decoded(given[index]);
    if (value === undefined) return undefined;
    if (part.startsWith(':')) params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return given.length === wanted.length ? params : undefined;
}

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

function decoded(part: string | undefined): string | undefined {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
