/** What a query says to this server, and not to an origin. */
const OWN: ReadonlySet<string> = new Set(['session', 'source', 'audio', 'video']);

/** What of a viewer's query an origin is asked by. */
export function originQuery(query: string): string {
  const parameters = [...new URLSearchParams(query)].filter(([key]) => !OWN.has(key) && !key.startsWith('_HLS_'));
  return new URLSearchParams(parameters).toString();
}
