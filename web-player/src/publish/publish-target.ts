import type { SdpEndpoint } from '../webrtc/sdp-exchange.js';

/** As the server makes them. */
const STREAM_KEY = /^key_[0-9a-z]+$/i;

/**
 * Where a stream is published, and with which credential.
 *
 * @param search the page's own query, which goes along
 * @param credential as a person types it: a stream key goes into the query, which is where the server looks for those;
 *   anything else is a bearer token
 */
export function whipEndpoint(origin: string, path: string, search: string, credential: string): SdpEndpoint {
  const query = new URLSearchParams(search);
  const shown = credential.trim();
  const isKey = STREAM_KEY.test(shown);
  if (isKey) query.set('key', shown);
  const url = `${origin}/whip/${path}${query.size === 0 ? '' : `?${query}`}`;
  return shown === '' || isKey ? { url } : { url, authorization: `Bearer ${shown}` };
}
