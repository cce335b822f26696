import type { Millis } from '@sluice/media';
import type { OpenSession } from './session-registry.js';

/** A session, as it is kept when it is over. */
export interface SessionRecord {
  readonly id: string;
  readonly action: string;
  readonly protocol: string;
  readonly path: string;
  readonly ip: string;
  readonly userAgent: string | undefined;
  readonly identity: string;
  readonly viewer: string | undefined;
  readonly credential: string | undefined;
  readonly openedAt: Millis;
  readonly closedAt: Millis;
  readonly reason: string;
  readonly received: number;
  readonly sent: number;
}

export function sessionRecord(
  { session, traffic }: Pick<OpenSession, 'session' | 'traffic'>,
  reason: string,
  closedAt: Millis,
): SessionRecord {
  const { id, action, protocol, path, ip, userAgent, identity, openedAt } = session;
  const { kind, viewer, credential } = identity;
  const { received, sent } = traffic;
  return {
    id,
    action,
    protocol,
    path,
    ip,
    userAgent,
    identity: kind,
    viewer,
    credential,
    openedAt,
    closedAt,
    reason,
    received,
    sent,
  };
}

/** Which past sessions are asked for; what is undefined doesn't matter. */
export interface SessionQuery {
  readonly from?: Millis | undefined;
  readonly to?: Millis | undefined;
  readonly path?: string | undefined;
  readonly ip?: string | undefined;
  readonly viewer?: string | undefined;
  readonly protocol?: string | undefined;
  readonly action?: string | undefined;
  readonly limit: number;
  /** `closedAt` of the last one of the page before. */
  readonly before?: Millis | undefined;
}

/** The sessions that are over, newest first. */
export interface SessionHistory {
  append(records: readonly SessionRecord[]): Promise<void>;
  query(query: SessionQuery): Promise<readonly SessionRecord[]>;
  /** Forgets those that were closed before a time. @returns how many */
  prune(before: Millis): Promise<number>;
}
