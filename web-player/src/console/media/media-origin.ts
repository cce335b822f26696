import type { ApiClient } from '../api-client/api-client.js';
import type { Ports } from '../feed/views.js';
import { mediaOrigin } from '../pages/stream/addresses.js';

/**
 * Asks where this server's recordings are, under the name that the console was reached by.
 *
 * @throws {ApiFailure}; an error where the server has no doors yet
 */
export async function askMediaOrigin(api: ApiClient, signal: AbortSignal): Promise<string> {
  const { ports } = await api.get<{ ports: Ports | null }>('/server', { signal });
  if (ports === null) throw new Error('the server is still starting; try again in a moment');
  const { hostname, protocol } = location;
  return mediaOrigin({ hostname, isSecure: protocol === 'https:', ports });
}
