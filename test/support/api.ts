import { AS_ADMIN, type TestServer } from './server.js';

/** An answer of the control API. */
export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
}

/** Asks the control API, as an administrator unless told otherwise. */
export async function api<T = Record<string, unknown>>(
  { api: base }: Pick<TestServer, 'api'>,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = AS_ADMIN,
): Promise<ApiAnswer<T>> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as T };
}
