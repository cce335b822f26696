import {
  type AccessAdvisor,
  type AccessRequest,
  type AccessSettings,
  type CheckedRequest,
  type Clock,
  type CredentialCheck,
  CredentialChecks,
  type EventBus,
  FailureLimiter,
  Gate,
  JwtCheck,
  type LiveConfig,
  type Logger,
  PasswordCheck,
  type PasswordVerifier,
  settingsFor as pathSettings,
  type Refusal,
  renditionOf,
  type SessionRegistry,
  SignedUrlCheck,
  StreamKeyCheck,
  type StreamPath,
  WmsAuthCheck,
} from '@sluice/core';
import type { Accounts } from './accounts.js';

export interface AccessOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly registry: SessionRegistry;
  readonly accounts: Accounts;
  readonly passwords: PasswordVerifier;
  readonly signingSecret: () => string;
  /** Asked about what nothing else accepts. */
  readonly outside: readonly CredentialCheck[];
  readonly advisors: readonly AccessAdvisor[];
  /** The one who decides about a request in place of all others, where there is one. */
  readonly deciderOf: (request: Pick<CheckedRequest, 'action' | 'path'>) => CredentialCheck | undefined;
  /** Why nobody is let in at the moment. */
  readonly refusalOf: (request: AccessRequest) => Refusal | undefined;
}

/** The one chain that all doors share. */
export function makeGate(options: AccessOptions): Gate {
  const { live, clock, events, log, registry, accounts, passwords, advisors, deciderOf } = options;
  const auth = () => live.current.auth;
  const { users, streamKeys, bans } = accounts;
  const checks: CredentialCheck[] = [
    new StreamKeyCheck({ keys: streamKeys, clock }),
    new SignedUrlCheck({ secret: options.signingSecret, clock }),
    new JwtCheck({ settings: () => auth().jwt, clock, log }),
    new WmsAuthCheck({ settings: () => auth().wmsAuth, clock }),
    new PasswordCheck({ users, verifier: passwords }),
    ...options.outside,
  ];
  // Where somebody else decides, nobody is let in unasked.
  const settingsFor = (path: StreamPath): AccessSettings => {
    const access = pathSettings(live.current, path).access;
    const isUnasked = access.play === 'open' || access.play === 'local';
    return isUnasked && deciderOf({ action: 'play', path }) !== undefined ? { ...access, play: 'credential' } : access;
  };
  const failures = new FailureLimiter({ perMinute: () => auth().failuresPerMinute, clock });
  return new Gate({
    clock,
    events,
    log,
    registry,
    settingsFor,
    sourceOf: (path) => renditionOf(live.current, path)?.source,
    adminRule: () => live.current.api,
    bans,
    credentials: new CredentialChecks(checks, failures, deciderOf),
    advisors,
    refusalOf: options.refusalOf,
  });
}
