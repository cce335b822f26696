import { ApiFailure, failureOf } from '../api-client/api-failure.js';

/** What a login may do. */
export type Scope = 'read' | 'sessions' | 'keys' | 'config' | 'admin';

/** Who is logged in. */
export interface Me {
  readonly name: string;
  readonly role: 'admin' | 'operator' | 'viewer';
  readonly scopes: readonly Scope[];
}

export type SessionState =
  /** Nobody is. `expired`: somebody was. */
  { readonly kind: 'out'; readonly expired: boolean } | { readonly kind: 'in'; readonly me: Me };

interface LoginAnswer {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly user: { readonly name: string; readonly role: Me['role'] };
}

/** A token is renewed when it has less left than this. */
const RENEW_BEFORE_MS = 30_000;
const HEADERS = { 'Content-Type': 'application/json', 'X-Requested-With': 'fetch' };

/**
 * The login. The access token is in memory alone; what renews it is a cookie that scripts can't read and other sites
 * can't use.
 */
export class Session {
  #token: string | undefined;
  #expiresAt = 0;
  #state: SessionState = { kind: 'out', expired: false };
  #renewing: Promise<boolean> | undefined;
  readonly #listeners = new Set<() => void>();

  get state(): SessionState {
    return this.#state;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Goes on with a login of before, where the browser still has its cookie. @throws {ApiFailure} without a network */
  async resume(): Promise<void> {
    await this.renew();
  }

  /** @throws {ApiFailure} */
  async login(user: string, password: string): Promise<void> {
    await this.#take(await post<LoginAnswer>('/api/v2/auth/login', { user, password }));
  }

  async logout(): Promise<void> {
    // The cookie goes with the answer; without an answer it goes when it is used next.
    await post('/api/v2/auth/logout').catch(() => undefined);
    this.#end(false);
  }

  /** A token that holds for a while; undefined where nobody is logged in. @throws {ApiFailure} without a network */
  async token(): Promise<string | undefined> {
    if (this.#token === undefined) return undefined;
    if (Date.now() > this.#expiresAt - RENEW_BEFORE_MS) await this.renew();
    return this.#token;
  }

  /** Asks for another token. @returns whether there is one @throws {ApiFailure} without a network */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<boolean> {
    try {
      await this.#take(await post<LoginAnswer>('/api/v2/auth/refresh'));
      return true;
    } catch (error) {
      if (error instanceof ApiFailure && (error.status === 401 || error.status === 403)) {
        this.#end(this.#token !== undefined);
        return false;
      }
      throw error;
    }
  }

  async #take({ accessToken, expiresIn, user }: LoginAnswer): Promise<void> {
    const { scopes } = await get<{ scopes: Scope[] }>('/api/v2/auth/me', accessToken);
    this.#token = accessToken;
    this.#expiresAt = Date.now() + expiresIn * 1000;
    const before = this.#state;
    this.#state = { kind: 'in', me: { name: user.name, role: user.role, scopes } };
    const same = before.kind === 'in' && before.me.name === user.name && before.me.role === user.role;
    if (!same) this.#tell();
  }

  #end(expired: boolean): void {
    this.#token = undefined;
    this.#state = { kind: 'out', expired };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

async function post<T>(url: string, body?: unknown): Promise<T> {
  return answerOf<T>(() =>
    fetch(url, { method: 'POST', headers: HEADERS, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
  );
}

async function get<T>(url: string, token: string): Promise<T> {
  return answerOf<T>(() => fetch(url, { headers: { Authorization: `Bearer ${token}` } }));
}

async function answerOf<T>(ask: () => Promise<Response>): Promise<T> {
  let response: Response;
  try {
    response = await ask();
  } catch (error) {
    throw ApiFailure.network(error);
  }
  if (!response.ok) throw await failureOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}
