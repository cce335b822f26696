import type { Config } from '@sluice/core';
import { StartError } from '../start-error.js';

/** Where the Sluice that runs with this configuration has its control API; undefined where that can't be told. */
export function controlApiOf({ api }: Config): string | undefined {
  if (!api.enabled || api.port === 0) return undefined;
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[api.host] ?? api.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${api.port}`;
}

/**
 * Asks a control API, with the credential of the configuration.
 *
 * @param options.unreachable what there is to say where nothing answers
 * @param options.scopes that a key needs for it
 * @returns the status and the JSON of the answer, where it is JSON
 * @throws {StartError} where it can't be reached, or refuses
 */
export async function askControlApi(
  { api }: Config,
  url: string,
  options: { readonly request: RequestInit; readonly unreachable: (cause: string) => string; readonly scopes: string },
): Promise<{ readonly status: number; readonly body: unknown }> {
  const credential: Record<string, string> = api.token === undefined ? {} : { Authorization: `Bearer ${api.token}` };
  const headers = { 'Content-Type': 'application/json', ...credential };
  let response: Response;
  try {
    response = await fetch(url, { ...options.request, headers });
  } catch (error) {
    throw new StartError(options.unreachable(causeOf(error)));
  }
  if (response.status === 401 || response.status === 403) {
    throw new StartError(
      `the Sluice that runs refuses (${response.status}): set SLUICE_API_TOKEN to its api.token, or to an API key with ${options.scopes}; or stop it first`,
    );
  }
  return { status: response.status, body: await response.json().catch(() => undefined) };
}

/** What an answer that isn't the expected one says of itself. */
export function toldBy(body: unknown): string {
  const told = (body as { error?: { message?: unknown } } | undefined)?.error?.message;
  return String(told ?? 'it is none, or of another version');
}

function causeOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: unknown }; message?: unknown };
  return String(cause?.code ?? message);
}
