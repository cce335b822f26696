import type { AccessAction, CheckedRequest } from '@sluice/core';

/** What an authentication server is asked, in the form that those written for MediaMTX read: all of it is text. */
export interface HttpAuthQuestion {
  readonly user: string;
  readonly password: string;
  readonly token: string;
  readonly ip: string;
  readonly action: string;
  readonly path: string;
  readonly protocol: string;
  /** The same when it is asked again about the session that came of it. */
  readonly id: string;
  readonly query: string;
  readonly userAgent: string;
}

const ACTIONS: Readonly<Record<AccessAction, string>> = {
  publish: 'publish',
  play: 'read',
  record: 'record',
  admin: 'api',
};

export function httpAuthQuestion(request: CheckedRequest, id: string): HttpAuthQuestion {
  const { credentials, ip, action, path, protocol, query, userAgent } = request;
  return {
    user: credentials.user ?? '',
    password: credentials.password ?? '',
    token: credentials.token ?? '',
    ip,
    action: ACTIONS[action],
    path,
    protocol,
    id,
    query: query.toString(),
    userAgent: userAgent ?? '',
  };
}
