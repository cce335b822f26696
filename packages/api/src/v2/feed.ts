import { z } from 'zod';
import type { FeedLine } from '../feed/feed-line.js';
import { type Asked, type Route, route } from '../http/route.js';
import type { AccountControl } from './control.js';
import { numberInQuery, pathPattern } from './schemas.js';

/** How often it is asked anew whether who listens still may. */
const CHECK_MS = 10_000;
const MOST_SESSIONS = 1000;

/** What happens, as it happens: server-sent events. */
export function feedRoutes({ feed, authenticator }: AccountControl): Route[] {
  /** A credential that ends, ends its lines; who has another may come again. */
  const watchOver = (line: FeedLine, { request }: Pick<Asked<never, never, never>, 'request'>): void => {
    const timer = setInterval(() => {
      authenticator.principalOf(request.headers.authorization).then(
        (principal) => {
          if (principal?.scopes.has('read') !== true) line.renew();
        },
        // It can't be checked now: the next time may tell.
        () => undefined,
      );
    }, CHECK_MS);
    line.onClose(() => clearInterval(timer));
  };
  return [
    route({
      method: 'get',
      path: '/feed',
      tag: 'Feed',
      summary:
        'What happens on the server, as server-sent events: a `snapshot`, then a `delta` about once a second; at `renew`, come again',
      needs: 'read',
      handle: ({ request, response }) => {
        watchOver(feed.followServer(response), { request });
        return undefined;
      },
    }),
    route({
      method: 'get',
      path: '/feed/sessions',
      tag: 'Feed',
      summary: 'Sessions and what changes of them, as server-sent events',
      needs: 'read',
      query: z
        .object({
          path: pathPattern.optional(),
          action: z.enum(['publish', 'play']).optional(),
          protocol: z.string().max(20).optional(),
          limit: numberInQuery(1, MOST_SESSIONS).default(MOST_SESSIONS).describe('Most sessions that are told of.'),
        })
        .strict(),
      handle: ({ query, request, response }) => {
        watchOver(feed.followSessions(response, query), { request });
        return undefined;
      },
    }),
  ];
}
