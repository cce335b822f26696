import type { CallbackNews } from './callback-news.js';
import type { ServerNames } from './server-names.js';

/** The body of a callback in our own form: who it is about, why it ended, and what went through. */
export function sluiceBody(news: CallbackNews, names: ServerNames, at: number): Readonly<Record<string, unknown>> {
  const { event, session } = news;
  const { id, action, protocol, path, ip, userAgent, identity, query } = session;
  return {
    event,
    at: new Date(at).toISOString(),
    server: names.serverId,
    session: { id, action, protocol, path, ip, userAgent, viewer: identity.viewer, credential: identity.kind },
    ...('reason' in news ? { reason: news.reason, traffic: news.traffic } : {}),
    ...('segment' in news ? { segment: news.segment } : {}),
    query,
  };
}
