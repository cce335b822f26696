import { RtmpError } from '../errors.js';
import { parseRtmpUrl } from './url.js';

const MOST_REDIRECTS = 3;

/**
 * Does something with a server, or with the one that this one sends to, and so on.
 *
 * @param act connects and asks; a refusal that names another URL leads there
 * @throws {RtmpError} what the last one said; `refused` where it sends to what is no RTMP URL, to one that isn't encrypted
 *   where this one is, or from one to the next without end
 */
export async function followingRedirects<T>(url: string, act: (url: string) => Promise<T>): Promise<T> {
  let at = url;
  for (let redirects = 0; ; redirects++) {
    try {
      return await act(at);
    } catch (error) {
      if (!(error instanceof RtmpError) || error.redirect === undefined) throw error;
      if (redirects === MOST_REDIRECTS) {
        throw new RtmpError('refused', `the server redirects more than ${MOST_REDIRECTS} times`, { cause: error });
      }
      at = checked(at, error.redirect);
    }
  }
}

/** Who asked over TLS isn't sent on without it, with what may be a key in the URL. */
function checked(from: string, to: string): string {
  const isPossible = URL.canParse(to) && (parseRtmpUrl(to).encrypted || !parseRtmpUrl(from).encrypted);
  if (!isPossible) throw new RtmpError('refused', 'the server redirects to where this client does not go');
  return to;
}
