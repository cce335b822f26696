import type { OpenSession, Session, SessionLimits, SessionRegistry } from '@sluice/core';
import type { RemoteSessions } from './remote-sessions.js';

/**
 * Limits hold for all nodes together, and each node lets in whom it may as far as it knows. Where two let in the last
 * one at the same time, there is one too many: the youngest goes. All nodes see the same sessions and come to the same
 * judgement, and each ends its own.
 *
 * @param news sessions that others have opened
 * @returns those of this node that have to go, and why
 */
export function overLimits(
  news: readonly Session[],
  options: { readonly registry: SessionRegistry; readonly remote: RemoteSessions; readonly limits: SessionLimits },
): Map<string, string> {
  const { registry, remote, limits } = options;
  const cut = new Map<string, string>();
  const judge = (key: keyof SessionLimits, name: string, isOne: (session: Session) => boolean): void => {
    const own = [...registry.list()].filter((open) => counts(open, cut) && isOne(open.session));
    const others = [...remote.list()].filter((open) => counts(open, cut) && isOne(open.session));
    const excess = own.length + others.length - limits[key];
    if (excess <= 0) return;
    const ids = new Set(own.map(({ session }) => session.id));
    const youngest = [...own, ...others]
      .map(({ session }) => session)
      .sort(byAge)
      .slice(-excess);
    const reason = `${own.length + others.length} sessions are open in the cluster${name}; sessions.${key} is ${limits[key]}`;
    for (const { id } of youngest) if (ids.has(id)) cut.set(id, reason);
  };
  if (registry.size + remote.size > limits.total) judge('total', '', () => true);
  for (const path of new Set(news.map((session) => session.path))) {
    if (registry.ofStream(path) + remote.ofStream(path) <= limits.perStream) continue;
    judge('perStream', ` on ${path}`, (session) => session.path === path);
  }
  for (const ip of new Set(news.map((session) => session.ip))) {
    if (registry.ofIp(ip) + remote.ofIp(ip) <= limits.perIp) continue;
    judge('perIp', ` from ${ip}`, (session) => session.ip === ip);
  }
  for (const viewer of new Set(news.map(({ identity }) => identity.viewer))) {
    if (viewer === undefined || registry.ofViewer(viewer) + remote.ofViewer(viewer) <= limits.perViewer) continue;
    judge('perViewer', ` of ${viewer}`, ({ identity }) => identity.viewer === viewer);
  }
  return cut;
}

const counts = ({ session, ending }: OpenSession, cut: ReadonlyMap<string, string>): boolean =>
  ending === undefined && !cut.has(session.id);

/** Oldest first. Of two of the same millisecond, all nodes must take the same one. */
function byAge(a: Session, b: Session): number {
  return a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1);
}
