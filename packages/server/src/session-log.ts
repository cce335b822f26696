import type { EventBus, Logger, Session } from '@sluice/core';

/** Writes the life of streams and sessions to the log, in one place for all protocols. */
export function logLifecycle(events: EventBus, log: Logger): void {
  const publisher = ({ ip, node }: Session) => ({ ip, ...(node === undefined ? {} : { node }) });
  events.on('stream-started', ({ path, session }) => log.info({ path, ...publisher(session) }, 'stream is live'));
  events.on('stream-waiting', ({ path, reason }) =>
    log.info({ path, reason }, 'stream waits for its encoder to come back'),
  );
  events.on('stream-resumed', ({ path, session }) => log.info({ path, ...publisher(session) }, 'stream is live again'));
  events.on('stream-ended', ({ path, reason }) => log.info({ path, reason }, 'stream ended'));
  events.on('session-opened', ({ session }) =>
    log.debug({ ...described(session), userAgent: session.userAgent }, 'session opened'),
  );
  events.on('session-closed', ({ session, reason, traffic }) => {
    const seconds = Math.round((Date.now() - session.openedAt) / 1000);
    log.info({ ...described(session), reason, seconds, bytes: traffic.received + traffic.sent }, 'session closed');
  });
}

function described({ id, action, protocol, path, ip, identity }: Session) {
  const viewer = identity.viewer === undefined ? {} : { viewer: identity.viewer };
  return { session: id, action, protocol, path, ip, ...viewer };
}
