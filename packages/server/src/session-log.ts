import type { EventBus, Logger } from '@sluice/core';

/** Writes the life of streams and sessions to the log, in one place for all protocols. */
export function logLifecycle(events: EventBus, log: Logger): void {
  events.on('stream-started', ({ path, session }) => log.info({ path, ip: session.ip }, 'stream is live'));
  events.on('stream-waiting', ({ path, reason }) =>
    log.info({ path, reason }, 'stream waits for its encoder to come back'),
  );
  events.on('stream-resumed', ({ path, session }) => log.info({ path, ip: session.ip }, 'stream is live again'));
  events.on('stream-ended', ({ path, reason }) => log.info({ path, reason }, 'stream ended'));
  events.on('session-opened', ({ session }) =>
    log.debug({ ...described(session), userAgent: session.userAgent }, 'session opened'),
  );
  events.on('session-closed', ({ session, reason, bytes }) => {
    const seconds = Math.round((Date.now() - session.openedAt) / 1000);
    log.info({ ...described(session), reason, seconds, bytes }, 'session closed');
  });
}

function described(session: { id: string; action: string; protocol: string; path: string; ip: string }) {
  const { id, action, protocol, path, ip } = session;
  return { session: id, action, protocol, path, ip };
}
