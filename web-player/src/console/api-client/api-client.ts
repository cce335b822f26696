import type { Session } from '../session/session.js';
import { ApiFailure, failureOf } from './api-failure.js';

/** Values of a query; what is undefined or empty is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

const BASE = '/api/v2';

/** The control API with the login's token. Every call throws {ApiFailure} where it doesn't succeed. */
export class ApiClient {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#json<T>('GET', path, options);
  }

  post<T = void>(path: string, body: unknown = {}, options: CallOptions = {}): Promise<T> {
    return this.#json<T>('POST', path, { ...options, body });
  }

  put<T = void>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.#json<T>('PUT', path, { ...options, body });
  }

  patch<T = void>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.#json<T>('PATCH', path, { ...options, body });
  }

  delete<T = void>(path: string, options: CallOptions = {}): Promise<T> {
    return this.#json<T>('DELETE', path, options);
  }

  /** An answer as it comes: a picture, a file, a stream of events. @throws {ApiFailure} */
  async fetch(method: string, path: string, { query = {}, body, signal }: CallOptions = {}): Promise<Response> {
    const url = BASE + path + searchOf(query);
    const ask = async () => {
      const token = await this.#session.token();
      return fetch(url, {
        method,
        cache: 'no-store',
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      }).catch((error: unknown) => {
        if (signal?.aborted) throw error;
        throw ApiFailure.network(error);
      });
    };
    let response = await ask();
    if (response.status === 401 && (await this.#session.renew())) response = await ask();
    if (!response.ok) throw await failureOf(response);
    return response;
  }

  async #json<T>(method: string, path: string, options: CallOptions): Promise<T> {
    const response = await this.fetch(method, path, options);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}

/** A stream's path, or an id, as part of a URL. */
export function pathPart(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/');
}

function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search}`;
}
