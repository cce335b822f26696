import type { ApiClient } from '../api-client/api-client.js';
import type { Ports } from '../feed/views.js';

/** Where this server's streams and recordings are, under the name that the console was reached by. */
export function mediaOrigin(ports: Ports, page: Pick<Location, 'protocol' | 'hostname'> = location): string {
  const port = page.protocol === 'https:' ? ports.https : ports.http;
  const scheme = port === null || page.protocol !== 'https:' ? 'http' : 'https';
  return `${scheme}://${page.hostname}:${port ?? ports.http}`;
}

/** Asks the server where its media is. @throws {ApiFailure}; an error where it has none yet */
export async function askMediaOrigin(api: ApiClient, signal: AbortSignal): Promise<string> {
  const { ports } = await api.get<{ ports: Ports | null }>('/server', { signal });
  if (ports === null) throw new Error('the server is still starting; try again in a moment');
  return mediaOrigin(ports);
}
