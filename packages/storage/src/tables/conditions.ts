/** One comparison of a query, with a value for each `?`; left out where the first one is undefined. */
export type Condition = readonly [sql: string, value: unknown, ...more: unknown[]];

/** `WHERE` with bound values for the conditions that are asked for. */
export function where(conditions: readonly Condition[]): { readonly sql: string; readonly values: readonly unknown[] } {
  const asked = conditions.filter(([, value]) => value !== undefined);
  const sql = asked.length === 0 ? '' : `WHERE ${asked.map(([text]) => text).join(' AND ')}`;
  return { sql, values: asked.flatMap(([, ...bound]) => bound) };
}

/** A row without its empty columns. */
export function withoutNulls<T>(row: unknown): T {
  return Object.fromEntries(Object.entries(row as object).filter(([, value]) => value !== null)) as T;
}
